"""The headers from anybody but the proxy are never believed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import falcon.testing
import pytest
import requests

from ipcraft.testing import Databases, Served
from ipcraft_accounts import create_organization, find_member

MakeFront = Callable[..., Any]
ALICE = {"user": "alice", "email": "alice@example.com", "groups": "network-admins"}
PATIENCE = 60

SPOOFS = [
    {},
    {"X-Forwarded-For": "10.0.9.1"},
    {"X-Forwarded-For": "10.0.9.1, 10.0.9.1"},
    {"Forwarded": "for=10.0.9.1"},
    {"X-Real-IP": "10.0.9.1"},
    {"Client-IP": "10.0.9.1"},
    {"Remote-Addr": "10.0.9.1"},
]


@pytest.mark.parametrize("peer", ["10.0.9.1", "10.0.9.15", "fd00::9", "::ffff:10.0.9.1"])
def test_the_proxy_is_believed(front: Any, peer: str) -> None:
    """From any address of its networks, in either notation."""
    assert front.get(peer=peer, **ALICE).json["role"] == "admin"


@pytest.mark.parametrize(
    "peer",
    ["203.0.113.9", "10.0.9.16", "127.0.0.1", "fd00::a", "::1", "::ffff:10.0.9.16", "", "unix:"],
)
def test_nobody_else_is_believed(front: Any, peer: str) -> None:
    """Whatever else their headers claim; nobody is added."""
    for spoof in SPOOFS:
        answer = front.get(peer=peer, headers=spoof, **ALICE)
        assert (answer.status_code, answer.json["code"]) == (401, "unauthenticated"), spoof
    assert find_member(front.app.storage, "alice@example.com") is None


def test_a_client_of_another_trusted_proxy_is_not_believed(make_front: MakeFront) -> None:
    """`trusted_proxies` tells whose address counts, not who may name people."""
    front = make_front(settings={"trusted_proxies": ["192.0.2.1"]})
    answer = front.get(peer="192.0.2.1", headers={"X-Forwarded-For": "10.0.9.1"}, **ALICE)
    assert answer.status_code == 401


def test_a_proxy_that_tells_the_client_is_believed(make_front: MakeFront) -> None:
    """It is the proxy who names the person, whoever it speaks for."""
    front = make_front(settings={"trusted_proxies": ["10.0.9.1"]})
    answer = front.get(headers={"X-Forwarded-For": "203.0.113.9"}, **ALICE)
    assert answer.json["role"] == "admin"


def test_a_request_without_a_peer_is_not_believed(make_front: MakeFront) -> None:
    """A server that does not tell whom it serves is no reason to believe."""
    front = make_front(trusted_networks=["127.0.0.1"])
    backend = next(each for each in front.app.auth_backends if each.name == "proxy")
    request = falcon.testing.create_req(headers={"Remote-User": "a@example.com"})
    assert "REMOTE_ADDR" not in request.env
    assert backend.authenticate(request) is None


CONFIGURATION = """\
[plugins]
enable = ["proxy-auth"]

[plugins.proxy-auth]
trusted_networks = ["{network}"]
organization = "Acme"
default_role = "editor"
"""


def test_a_served_process_believes_its_proxy(databases: Databases, tmp_path: Path) -> None:
    """Over real HTTP, from the loopback; another spelling of the header is not the header."""
    with serve(databases, tmp_path, network="127.0.0.1") as server:
        me = ask(server, {"Remote-User": "alice", "Remote-Email": "alice@example.com"})
        assert me.json()["user"]["email"] == "alice@example.com"
        spelled = {"Remote_User": "alice", "Remote_Email": "alice@example.com"}
        assert ask(server, spelled).status_code == 401
    databases.drop(server.database_url)


def test_a_served_process_believes_nobody_else(databases: Databases, tmp_path: Path) -> None:
    """A direct client is not believed, whatever it says of where it comes from."""
    with serve(databases, tmp_path, network="10.0.9.0/28") as server:
        named = {"Remote-User": "alice", "Remote-Email": "alice@example.com"}
        assert [ask(server, {**named, **spoof}).status_code for spoof in SPOOFS] == [
            401 for _ in SPOOFS
        ]
    databases.drop(server.database_url)


def serve(databases: Databases, folder: Path, *, network: str) -> Served:
    """Serve an organization behind a proxy."""
    (folder / "ipcraft.toml").write_text(CONFIGURATION.format(network=network))
    server = Served(databases.create(), folder, workers=1)
    create_organization(server.application.storage, name="Acme", owner_email="founder@example.com")
    return server


def ask(server: Served, headers: dict[str, str]) -> requests.Response:
    """Ask who we are."""
    return requests.get(f"{server.url}/api/v1/auth/me", headers=headers, timeout=PATIENCE)
