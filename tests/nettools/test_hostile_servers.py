"""Whatever a server does: an answer in time, of bounded size and cost, and nothing left behind."""

from __future__ import annotations

import gc
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipcraft.plugin import Application, BadGateway
from ipcraft.testing import Client
from ipcraft.testing.services import DNSServer, WhoisServer
from ipcraft.testing.services.whois_server import Manner
from ipcraft_nettools.services import enabled_tools, runner
from ipcraft_nettools.whois_lookup import referral
from ipcraft_nettools.whois_records import parse_domain, parse_network
from ipcraft_nettools.whois_servers import KEPT

from .conftest import Tools

DEADLINE = 0.8
SLACK = 2.0
"""Seconds by which a busy machine may be late."""
CPU = 0.05
"""Seconds of the processor that a hostile server may cost."""
RECORD = "Domain Name: EXAMPLE.COM\r\nRegistrar: Somebody\r\n"
HUNDRED_MEGABYTES: Manner = "endless"
MANNERS: tuple[Manner, ...] = ("silent", "drip", HUNDRED_MEGABYTES, "lingering", "reset")


@dataclass(frozen=True, slots=True)
class Outcome:
    """Hold what a run came to, and what it took."""

    body: Any
    """The answer; None: there was none, and the client got 502."""
    seconds: float
    cpu: float
    """Seconds of the processor, of the thread that ran the tool alone."""


@contextmanager
def uncollected() -> Iterator[None]:
    """Measure without the garbage of the whole suite."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def run(app: Application, name: str, **texts: str) -> Outcome:
    """Run a tool with a shorter deadline, and see that it leaves neither thread nor file."""
    tool = replace(enabled_tools(app)[name], deadline=DEADLINE)
    running, process = runner(app), psutil.Process()
    threads, files = set(threading.enumerate()), process.num_fds()
    with uncollected():
        began, cpu = time.monotonic(), time.thread_time()
        try:
            body = json.loads(running.run(tool, texts, None).data)
        except BadGateway:
            body = None
        outcome = Outcome(body, time.monotonic() - began, time.thread_time() - cpu)
    mine = {each for each in threading.enumerate() if "Thread-" not in each.name}
    assert mine <= threads
    assert process.num_fds() <= files + 2  # the server's own end of a connection or two
    return outcome


@pytest.fixture
def warm(tools: Client, resolvers: dict[str, DNSServer]) -> Application:
    """Give an application whose imports are made."""
    run(tools.app, "whois", query="example.com")
    run(tools.app, "dns", domain="example.com", type="A")
    return tools.app


@pytest.mark.parametrize("manner", MANNERS)
def test_a_whois_server(warm: Application, whois: WhoisServer, manner: Manner) -> None:
    """What came in time is answered, as far as it is kept; nothing at all is 502."""
    whois.tell("example.com", RECORD, manner=manner)
    outcome = run(warm, "whois", query="example.com")
    assert outcome.seconds < DEADLINE + SLACK
    assert outcome.cpu < CPU
    if manner == "silent":
        assert outcome.body is None
    elif outcome.body is not None:
        assert outcome.body["complete"] is False
        assert 0 < len(outcome.body["raw"]) <= KEPT


@pytest.mark.parametrize("manner", MANNERS)
def test_a_registry(
    make_tools: Tools,
    whois: WhoisServer,
    registry: WhoisServer,
    name_server: DNSServer,
    manner: Manner,
) -> None:
    """The first server's text is there in any case."""
    name_server.tell("whois.registry.example", "127.0.0.1")
    whois.tell("example.com", "refer: whois.registry.example\n")
    registry.tell("example.com", RECORD, manner=manner)
    app = make_tools(whois_registries=[f"whois.registry.example:{registry.port}"]).app
    run(app, "whois", query="other.example")
    outcome = run(app, "whois", query="example.com")
    assert outcome.seconds < DEADLINE + SLACK
    assert outcome.cpu < CPU
    assert 0 < len(outcome.body["raw"]) <= KEPT


def repeated(text: str) -> str:
    """Fill what is kept of an answer."""
    return (text * (1 + KEPT // len(text)))[:KEPT]


IPV6_SPAN = "inet6num: 2000::1 - 3fff:ffff:ffff:ffff:ffff:ffff:ffff:fffe\n\n"
HOSTILE = {
    "line feeds": repeated("\n"),
    "colons": repeated(":"),
    "lines of one colon": repeated(":\n"),
    "blanks": "Registrar:" + repeated(" ")[20:] + "x",
    "blanks and tabs": repeated(" \t"),
    "one line": repeated("a"),
    "keys without an end": repeated("Registrar"),
    "many names": repeated("Domain Name: EXAMPLE.COM\n"),
    "many servers": "Domain Name: EXAMPLE.COM\n" + repeated("Name Server: a.b\n"),
    "different servers": "Domain Name: EXAMPLE.COM\n"
    + "".join(f"Name Server: ns{number}.example\n" for number in range(3000)),
    "many dates": "Domain Name: EXAMPLE.COM\n" + repeated("Creation Date: 2025-01-01T00:00:00Z\n"),
    "a date of digits": "Domain Name: EXAMPLE.COM\nCreation Date: " + "9" * 60_000,
    "many ranges": repeated("inetnum: 0.0.0.1 - 255.255.255.254\n\n"),
    "many ranges of IPv6": repeated(IPV6_SPAN),
    "many keys": "".join(f"key{number}: value\n" for number in range(4000)),
    "referrals": repeated("refer: whois.iana.org\n"),
    "brackets": repeated("(a+)+$"),
    "digits": "inetnum: " + "1" * 60_000,
    "escapes": repeated("\x1b[2J\x00\u009b"),
    "other line ends": repeated("\u2028\x0b\x0c\x1c\x85\r"),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=list(HOSTILE))
def test_a_text_made_to_hold_the_parser_up(text: str) -> None:
    """It costs next to nothing, whatever is asked about."""
    with uncollected():
        began = time.thread_time()
        parse_domain(text, "example.com")
        parse_network(text, ip_address("8.8.8.8"))
        parse_network(text, ip_address("2001:db8::1"))
        referral(text)
        assert time.thread_time() - began < CPU


@given(st.text(st.sampled_from("a:. \n>-1\x00ü") | st.characters(), max_size=400))
def test_any_text_is_parsed(text: str) -> None:
    """Into fields that are certain, or none."""
    for parsed in (parse_domain(text, "a"), parse_network(text, ip_address("::1"))):
        assert all(parsed.values())


def test_resolvers_that_say_nothing(warm: Application, resolvers: dict[str, DNSServer]) -> None:
    """All are waited for together."""
    for server in resolvers.values():
        server.silent = True
    outcome = run(warm, "dns", domain="silent.example", type="A")
    assert outcome.seconds < DEADLINE + SLACK
    assert outcome.cpu < CPU
    assert all(
        each == {"error": "does not answer in time"} for each in outcome.body["resolvers"].values()
    )


def test_resolvers_that_are_slow_by_tcp(warm: Application, resolvers: dict[str, DNSServer]) -> None:
    """TCP has no time of its own."""
    for server in resolvers.values():
        server.truncates = True
        server.delay = 0.3
    outcome = run(warm, "dns", domain="slow.example", type="A")
    assert outcome.seconds < DEADLINE + SLACK


def test_the_largest_answers_there_are(warm: Application, resolvers: dict[str, DNSServer]) -> None:
    """As many records as are read, from all three, cost what any hostile server may."""
    for server in resolvers.values():
        server.tell_records("large.example", "TXT", *(f'"{number}"' for number in range(250)))
    outcome = run(warm, "dns", domain="large.example", type="TXT")
    assert [len(each) for each in outcome.body["resolvers"].values()] == [250] * 3
    assert outcome.cpu < 2 * CPU


@pytest.fixture
def black_holes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], int]]:
    """Have every port of the scan be one that says nothing."""
    opened: list[socket.socket] = []

    def dig() -> int:
        listener = socket.create_server(("127.0.0.1", 0), backlog=0)
        opened.append(listener)
        port: int = listener.getsockname()[1]
        for _ in range(4):
            crowd = socket.socket()
            crowd.setblocking(False)
            crowd.connect_ex(("127.0.0.1", port))
            opened.append(crowd)
        return port

    yield dig
    for each in opened:
        each.close()


def test_nineteen_ports_that_say_nothing(
    tools: Client, black_holes: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its own deadline, a scan is over within three seconds."""
    ports = {black_holes(): "silent" for _ in range(19)}
    monkeypatch.setattr("ipcraft_nettools.reachability.SERVICES", ports)
    threads = threading.active_count()
    began = time.monotonic()
    answer = tools.get("/api/v1/tools/ports", params={"host": "127.0.0.1"})
    assert 2.0 < time.monotonic() - began < 3.0
    assert [each["open"] for each in answer.json["ports"]] == [False] * 19
    assert threading.active_count() == threads


def test_a_name_server_that_says_nothing(tools: Client, name_server: DNSServer) -> None:
    """A scan's three seconds are for the host's name, too."""
    name_server.silent = True
    began = time.monotonic()
    answer = tools.get("/api/v1/tools/ports", params={"host": "silent.example"})
    assert time.monotonic() - began < 3.0
    assert "error" in answer.json


def test_a_host_that_says_nothing(tools: Client, black_holes: Callable[[], int]) -> None:
    """It is not reachable, and that is known before the ten seconds are over."""
    outcome = run(tools.app, "ping", host="127.0.0.1", port=str(black_holes()))
    assert outcome.body["reachable"] is False
    assert outcome.seconds < DEADLINE + SLACK


def test_every_deadline_is_below_ten_seconds(tools: Client) -> None:
    """That of a scan is below three: there is time left to answer."""
    deadlines = {name: tool.deadline for name, tool in enabled_tools(tools.app).items()}
    assert len(deadlines) == 7
    assert max(deadlines.values()) < 10
    assert deadlines["ports"] < 3
