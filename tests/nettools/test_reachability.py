"""`ping` and `ports`, against real ports."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from ipcraft.testing import Client
from ipcraft.testing.services import DNSServer, free_port
from ipcraft_nettools.reachability import SERVICES

from .conftest import Tools

PING = "/api/v1/tools/ping"
PORTS = "/api/v1/tools/ports"
LOOPBACK = {"allowed_networks": ["127.0.0.0/8"]}


@pytest.fixture
def open_port() -> Iterator[int]:
    """Give a port that takes connections."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def found(tools: Client, path: str, **params: object) -> Any:
    """Ask, and give the answer's body."""
    answer = tools.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_an_open_port_is_reachable(tools: Client, open_port: int) -> None:
    """With the milliseconds to its answer."""
    answer = found(tools, PING, host="127.0.0.1", port=open_port)
    assert answer == {
        "host": "127.0.0.1",
        "reachable": True,
        "latency_ms": answer["latency_ms"],
        "port": open_port,
    }
    assert type(answer["latency_ms"]) is int
    assert 0 <= answer["latency_ms"] < 2000


def test_a_refusal_is_an_answer(tools: Client) -> None:
    """Who says no is there."""
    assert found(tools, PING, host="127.0.0.1", port=free_port())["reachable"] is True


def test_a_name_is_looked_up(tools: Client, name_server: DNSServer, open_port: int) -> None:
    """And answered in ASCII."""
    name_server.tell("xn--bcher-kva.example", "127.0.0.1")
    answer = found(tools, PING, host="Bücher.example", port=open_port)
    assert (answer["host"], answer["reachable"]) == ("xn--bcher-kva.example", True)


def test_443_and_then_80_are_tried(make_tools: Tools) -> None:
    """Where the operator forbids the one, the other answers."""
    tools = make_tools(settings={**LOOPBACK, "outbound_ports": [80]})
    assert found(tools, PING, host="127.0.0.1")["port"] == 80


def test_nobody_who_may_be_asked(make_tools: Tools) -> None:
    """Unreachable, and why."""
    tools = make_tools(settings={**LOOPBACK, "outbound_ports": [4]})
    answer = found(tools, PING, host="127.0.0.1")
    assert (answer["reachable"], answer["latency_ms"], answer["port"]) == (False, None, None)
    assert answer["error"] == "there is no answer from port 443 and 80"


@pytest.mark.parametrize("path", [PING, PORTS])
def test_a_host_that_is_not_there(tools: Client, path: str) -> None:
    """It is not reachable, and nothing of it is open."""
    answer = found(tools, path, host="nobody.example")
    assert answer["error"] == "there is no host nobody.example"
    assert not answer.get("reachable")
    assert not any(each["open"] for each in answer.get("ports", ()))


def test_the_nineteen_ports_are_scanned(tools: Client) -> None:
    """Each is told of, in order, and so is what is usually there."""
    answer = found(tools, PORTS, host="127.0.0.1")
    listed = [21, 22, 23, 25, 53, 80, 110, 143, 443, 445, 465, 587, 993, 995]
    listed += [3306, 3389, 5432, 8080, 8443]
    assert [each["port"] for each in answer["ports"]] == listed
    assert {each["service"] for each in answer["ports"]} >= {"ftp", "ssh", "http", "https", "dns"}
    assert all(type(each["open"]) is bool for each in answer["ports"])


def test_an_open_port_is_told_of(tools: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are shut."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        monkeypatch.setitem(SERVICES, port, "ours")
        monkeypatch.setitem(SERVICES, free_port(), "nobody's")
        ours, nobodys = found(tools, PORTS, host="127.0.0.1")["ports"][-2:]
    assert (ours, nobodys["open"]) == ({"port": port, "service": "ours", "open": True}, False)


def test_a_port_the_operator_forbids_is_said_to_be(make_tools: Tools) -> None:
    """It counts as shut; the others are scanned."""
    tools = make_tools(settings={**LOOPBACK, "outbound_ports": [22]})
    ports = {each["port"]: each for each in found(tools, PORTS, host="127.0.0.1")["ports"]}
    assert "error" not in ports[22]
    assert ports[80]["error"] == "this port may not be reached from here"


@pytest.mark.parametrize("path", [PING, PORTS])
@pytest.mark.parametrize("host", ["127.0.0.1", "0x7f.1", "::ffff:7f00:1", "localhost", "10.0.0.1"])
def test_this_network_is_nobodys_business(public_tools: Client, path: str, host: str) -> None:
    """A public service serves only targets that are globally routable."""
    answer = public_tools.get(path, params={"host": host})
    assert (answer.status_code, answer.json["code"]) == (400, "target_refused")
    assert set(answer.json["fields"]) == {"host"}


def test_a_name_does_not_lead_into_this_network(
    public_tools: Client, name_server: DNSServer
) -> None:
    """Nor does the refusal say where it would have led."""
    name_server.tell("inside.example", "10.1.2.3")
    answer = public_tools.get(PING, params={"host": "inside.example"})
    assert answer.status_code == 400
    assert "10.1.2.3" not in answer.text


@pytest.mark.parametrize("port", ["0", "65536", "-1", "1.0", "http", "", "9" * 30])
def test_what_is_no_port_is_refused(tools: Client, port: str) -> None:
    """The refusal names the parameter."""
    answer = tools.get(PING, params={"host": "127.0.0.1", "port": port})
    assert (answer.status_code, set(answer.json["fields"])) == (400, {"port"})
