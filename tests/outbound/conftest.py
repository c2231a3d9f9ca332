"""Name servers, receivers, and clients that may reach them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from ipcraft.config import load_settings
from ipcraft.outbound.client import Outbound
from ipcraft.testing.services import DNSServer

from .receivers import Receiver, Script

Receive = Callable[..., Receiver]
Reach = Callable[..., Outbound]


@pytest.fixture
def name_server() -> Iterator[DNSServer]:
    """Give a name server that knows no name yet."""
    with DNSServer() as server:
        yield server


@pytest.fixture
def receive() -> Iterator[Receive]:
    """Give a way to start receivers; all are closed at the end."""
    started: list[Receiver] = []

    def receive(script: Script, **options: object) -> Receiver:
        started.append(Receiver(script, **options))  # type: ignore[arg-type] # passed on as they came
        return started[-1]

    yield receive
    for receiver in started:
        receiver.close()


@pytest.fixture
def reach(name_server: DNSServer) -> Iterator[Reach]:
    """Give a way to make clients of settings; they ask our name server and may reach loopback."""
    made: list[Outbound] = []

    def reach(**settings: object) -> Outbound:
        given = {
            "allowed_networks": ["127.0.0.0/8"],
            "outbound_name_servers": [name_server.address],
            **settings,
        }
        made.append(Outbound.of(load_settings(path=Path("/dev/null"), environ={}, overrides=given)))
        return made[-1]

    yield reach
    for outbound in made:
        outbound.close()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Give an authority that no system trusts."""
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    """Give the file that makes us trust it."""
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)
