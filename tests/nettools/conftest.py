"""Servers to ask, and applications whose tools ask them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ipcraft.plugin import Application
from ipcraft.testing import Client, Clock, make_application
from ipcraft.testing.services import DNSServer, WhoisServer

NOON = 1_800_000_000.0
RESOLVERS = ("google", "cloudflare", "quad9")

Tools = Callable[..., Client]


@pytest.fixture
def backend() -> str:
    """Run each test once: no tool touches the database."""
    return "sqlite"


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Give the way to fresh databases."""
    from ipcraft.testing.databases import SQLiteDatabases

    return SQLiteDatabases(tmp_path_factory.mktemp("databases"))


@pytest.fixture
def clock() -> Clock:
    """Give the clock of limits and of what is remembered."""
    return Clock(NOON)


@pytest.fixture
def resolvers() -> Iterator[dict[str, DNSServer]]:
    """Give the three resolvers, which know no name yet."""
    servers = {name: DNSServer() for name in RESOLVERS}
    yield servers
    for server in servers.values():
        server.close()


@pytest.fixture
def whois() -> Iterator[WhoisServer]:
    """Give the server where look-ups begin."""
    with WhoisServer() as server:
        yield server


@pytest.fixture
def registry() -> Iterator[WhoisServer]:
    """Give the server of a registry."""
    with WhoisServer() as server:
        yield server


@pytest.fixture
def name_server() -> Iterator[DNSServer]:
    """Give the server that is asked where hosts are."""
    with DNSServer() as server:
        yield server


@pytest.fixture
def make_tools(
    database_url: str,
    clock: Clock,
    resolvers: dict[str, DNSServer],
    whois: WhoisServer,
    name_server: DNSServer,
) -> Iterator[Tools]:
    """Give a way to make an application with other settings; a client of nobody speaks to it."""
    opened: list[Application] = []

    def make(
        *,
        enable: tuple[str, ...] = (),
        settings: dict[str, object] | None = None,
        **section: object,
    ) -> Client:
        asked = [f"{name}={server.address}" for name, server in resolvers.items()]
        given = {"resolvers": asked, "whois_server": whois.address, "requests_per_minute": 10_000}
        opened.append(
            make_application(
                database_url,
                enable=enable,
                sections={"nettools": {**given, **section}},
                settings={"outbound_name_servers": [name_server.address], **(settings or {})},
                clock=clock,
            )
        )
        return Client(opened[-1])

    yield make
    for app in opened:
        app.close()


@pytest.fixture
def tools(make_tools: Tools) -> Client:
    """Give a client of tools that may reach loopback."""
    return make_tools(settings={"allowed_networks": ["127.0.0.0/8"]})


@pytest.fixture
def public_tools(make_tools: Tools) -> Client:
    """Give a client of tools as strangers have them: nothing special may be reached."""
    return make_tools()
