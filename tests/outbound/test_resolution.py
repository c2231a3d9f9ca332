"""Names lead where the machine's own files and name servers say, and never late."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from ipcraft.logs import configure_logs
from ipcraft.outbound.deadlines import Deadline
from ipcraft.outbound.failures import Refused, Unreachable
from ipcraft.outbound.hosts import read_host
from ipcraft.outbound.name_servers import NameServer, NameServers
from ipcraft.outbound.resolution import BELIEVED, Resolver
from ipcraft.testing import Clock
from ipcraft.testing.services import DNSServer

from .conftest import Reach

SLACK = 2.0
"""Seconds by which a busy machine may be late."""


LONG = ".".join(["x" * 62] * 4)
"""A name that nothing can be appended to."""


def resolver(server: DNSServer, **options: object) -> Resolver:
    """Make a resolver that asks the server."""
    return Resolver([NameServer.of(server.address)], **options)  # type: ignore[arg-type] # passed on


def found(resolver: Resolver, name: str, *, seconds: float = 5.0) -> list[str]:
    """Give the addresses of a name as text."""
    return [str(each) for each in resolver.addresses(read_host(name), Deadline(seconds))]


def configured(folder: Path, text: str) -> Resolver:
    """Make a resolver of a configuration, without a hosts file."""
    path = folder / "resolv.conf"
    path.write_text(text, encoding="utf-8")
    return Resolver(configuration=path, hosts=folder / "hosts")


def test_both_families_are_asked_for(name_server: DNSServer) -> None:
    """Each address of each is found."""
    name_server.tell("a.example", "192.0.2.1", "2001:db8::1", "192.0.2.2")
    assert sorted(found(resolver(name_server), "A.example.")) == [
        "192.0.2.1",
        "192.0.2.2",
        "2001:db8::1",
    ]
    assert {each.kind for each in name_server.questions} == {"A", "AAAA"}


def test_a_chain_of_aliases_is_followed(name_server: DNSServer) -> None:
    """Up to its end."""
    for number in range(8):
        name_server.alias(f"a{number}.example", f"a{number + 1}.example")
    name_server.tell("a8.example", "192.0.2.1")
    assert found(resolver(name_server), "a0.example") == ["192.0.2.1"]


def test_a_chain_without_an_end_leads_nowhere(name_server: DNSServer) -> None:
    """Neither in a circle nor into the void."""
    name_server.alias("a.example", "b.example")
    name_server.alias("b.example", "a.example")
    name_server.alias("c.example", "nothing.example")
    for name in ("a.example", "c.example"):
        with pytest.raises(Unreachable):
            found(resolver(name_server), name)


def test_an_alias_does_not_hide_an_address(name_server: DNSServer, reach: Reach) -> None:
    """What counts is where the chain ends."""
    name_server.alias("public.example", "inside.example")
    name_server.tell("inside.example", "10.0.0.1")
    with pytest.raises(Refused):
        reach().addresses("public.example")


def test_many_answers_come_by_tcp(name_server: DNSServer) -> None:
    """All of them are looked at, though they fill no datagram."""
    name_server.tell("many.example", *[f"8.8.{a}.{b}" for a in range(8) for b in range(1, 251)])
    assert len(found(resolver(name_server), "many.example")) == 2000
    assert "tcp" in {each.transport for each in name_server.questions}


def test_the_last_of_many_answers_is_judged(name_server: DNSServer, reach: Reach) -> None:
    """One bad address among two thousand good ones is enough."""
    good = [f"8.8.{a}.{b}" for a in range(8) for b in range(1, 251)]
    name_server.tell("many.example", *good, "169.254.169.254")
    with pytest.raises(Refused):
        reach().addresses("many.example")


def test_a_refusal_tells_no_address_of_a_name(
    name_server: DNSServer, reach: Reach, capsys: pytest.CaptureFixture[str]
) -> None:
    """Tenants learn nothing about the names of this network; the operator's log has it."""
    configure_logs()
    name_server.tell("inside.example", "10.11.12.13")
    with pytest.raises(Refused) as caught:
        reach().addresses("inside.example")
    assert (
        caught.value.reason == "inside.example leads to an address that is not globally reachable"
    )
    (line,) = capsys.readouterr().err.splitlines()
    assert "a target is refused" in line
    assert "10.11.12.13 is not globally reachable (private)" in line


@pytest.mark.parametrize("delay", [0.0, 0.2])
def test_a_name_that_does_not_exist(name_server: DNSServer, delay: float) -> None:
    """Is unreachable: it may exist tomorrow."""
    name_server.delay = delay
    with pytest.raises(Unreachable, match=r"there is no host nowhere\.example"):
        found(resolver(name_server), "nowhere.example")


@pytest.mark.parametrize("kind", ["A", "AAAA"])
@pytest.mark.parametrize("rcode", ["SERVFAIL", "REFUSED"])
def test_half_an_answer_is_none(name_server: DNSServer, kind: str, rcode: str) -> None:
    """Where one family cannot be asked for, nobody knows whether all addresses are good."""
    name_server.tell("a.example", "8.8.8.8", "2606:4700::1")
    name_server.fail("a.example", kind, rcode)
    with pytest.raises(Unreachable, match="no name server can say"):
        found(resolver(name_server), "a.example")


def test_a_silent_server_is_not_waited_for(name_server: DNSServer) -> None:
    """The deadline holds."""
    name_server.silent = True
    began = time.monotonic()
    with pytest.raises(Unreachable, match=r"within 0\.5 seconds"):
        found(resolver(name_server), "a.example", seconds=0.5)
    assert time.monotonic() - began < 0.5 + SLACK


def test_a_slow_server_is_not_waited_for(name_server: DNSServer, reach: Reach) -> None:
    """Of an exchange, too: the name is part of it."""
    name_server.tell("a.example", "127.0.0.1")
    name_server.delay = 5.0
    began = time.monotonic()
    with pytest.raises(Unreachable, match=r"within 0\.5 seconds"):
        reach().post("http://a.example/", headers={}, body=b"", deadline=0.5)
    assert time.monotonic() - began < 0.5 + SLACK


def test_junk_before_the_answer_is_passed_over(name_server: DNSServer) -> None:
    """A datagram that is no answer to the question is not one."""
    name_server.tell("a.example", "192.0.2.1")
    name_server.prefix = b"\x00" * 12
    assert found(resolver(name_server), "a.example") == ["192.0.2.1"]


def test_the_next_server_is_asked(name_server: DNSServer) -> None:
    """When one fails, or nothing listens there."""
    name_server.tell("a.example", "192.0.2.1")
    with DNSServer() as gone:
        closed = NameServer.of(gone.address)
    with DNSServer() as failing:
        for kind in ("A", "AAAA"):
            failing.fail("a.example", kind)
        servers = [closed, NameServer.of(failing.address), NameServer.of(name_server.address)]
        asking = NameServers(servers, patience=0.1)
        (address,) = asking.addresses(read_host("a.example"), Deadline(5.0))
        assert str(address) == "192.0.2.1"


def test_a_server_that_answers_is_asked_again(name_server: DNSServer) -> None:
    """Only the first question waits for one that is silent."""
    name_server.tell("a.example", "192.0.2.1")
    with DNSServer() as silent:
        silent.silent = True
        servers = [NameServer.of(each.address) for each in (silent, name_server)]
        asking = NameServers(servers, patience=0.1)
        for _ in range(3):
            asking.addresses(read_host("a.example"), Deadline(5.0))
    assert (len(silent.questions), len(name_server.questions)) == (1, 6)


def test_an_answer_is_believed_for_seconds(name_server: DNSServer) -> None:
    """Then the server is asked again, whatever the answer's time to live was."""
    clock = Clock(0.0)
    name_server.tell_in_turn("a.example", ["192.0.2.1"], ["192.0.2.2"])
    asking = resolver(name_server, clock=clock)
    assert found(asking, "a.example") == ["192.0.2.1"]
    clock.advance(seconds=BELIEVED - 0.1)
    assert found(asking, "a.example") == ["192.0.2.1"]
    assert len(name_server.questions) == 2
    clock.advance(seconds=0.2)
    assert found(asking, "a.example") == ["192.0.2.2"]


def test_what_is_remembered_is_bounded(name_server: DNSServer, tmp_path: Path) -> None:
    """The many names of somebody do not fill the memory."""
    hosts = tmp_path / "hosts"
    hosts.write_text("".join(f"192.0.2.1 a{number}.example\n" for number in range(1100)))
    asking = resolver(name_server, hosts=hosts)
    for number in range(1100):
        found(asking, f"a{number}.example")
    assert len(asking._known) <= 1024


def test_the_hosts_file_comes_first(name_server: DNSServer, tmp_path: Path) -> None:
    """What it names is not asked for; a change counts when the old answer is forgotten."""
    hosts = tmp_path / "hosts"
    hosts.write_text("192.0.2.7 web.example Web # the web\n\nnonsense x\n2001:db8::7\tweb\n")
    clock = Clock(0.0)
    asking = resolver(name_server, hosts=hosts, clock=clock)
    assert found(asking, "web.example") == ["192.0.2.7"]
    assert found(asking, "WEB") == ["192.0.2.7", "2001:db8::7"]
    hosts.write_text("192.0.2.88 web.example\n")
    clock.advance(seconds=BELIEVED + 1)
    assert found(asking, "web.example") == ["192.0.2.88"]
    assert name_server.questions == []


@pytest.mark.parametrize(
    ("name", "options", "asked"),
    [
        ("web", "", ["web.corp.example", "web.example", "web"]),
        ("web.", "", ["web"]),
        ("a.web", "", ["a.web", "a.web.corp.example", "a.web.example"]),
        ("a.web.", "", ["a.web"]),
        (LONG, "", [LONG]),
        ("a.web", "options ndots:2", ["a.web.corp.example", "a.web.example", "a.web"]),
    ],
)
def test_the_search_list_completes_names(
    name_server: DNSServer,
    tmp_path: Path,
    name: str,
    options: str,
    asked: Sequence[str],
) -> None:
    """As resolv.conf(5) says: by `search` and `ndots`."""
    asking = configured(tmp_path, f"nameserver 127.0.0.1\nsearch corp.example example\n{options}\n")
    servers = asking._configuration.content()
    assert [str(each).rstrip(".") for each in servers._names(read_host(name))] == asked


def test_a_configuration_without_servers(tmp_path: Path) -> None:
    """Nobody can be asked; once the file is mended, they are."""
    asking = configured(tmp_path, "search example\n")
    with pytest.raises(Unreachable, match="no name server is configured"):
        found(asking, "a.example")
    (tmp_path / "resolv.conf").unlink()
    with pytest.raises(Unreachable, match="no name server is configured"):
        found(asking, "a.example")
    (tmp_path / "resolv.conf").write_text("nameserver 192.0.2.53\nnameserver 2001:db8::53\n")
    servers = asking._configuration.content().servers
    assert servers == [NameServer("192.0.2.53"), NameServer("2001:db8::53")]


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("10.0.0.53", NameServer("10.0.0.53")),
        ("10.0.0.53:5353", NameServer("10.0.0.53", 5353)),
        ("2001:db8::53", NameServer("2001:db8::53")),
        ("[2001:db8::53]", NameServer("2001:db8::53")),
        ("[2001:db8::53]:5353", NameServer("2001:db8::53", 5353)),
    ],
)
def test_name_servers_are_read(text: str, server: NameServer) -> None:
    """An address, with a port or without."""
    assert NameServer.of(text) == server


@pytest.mark.parametrize(
    "text",
    ["", "ns.example", "10.0.0.53:0", "10.0.0.53:x", "10.0.0.53:99999", "[::1", "[::1]53", ":53"],
)
def test_other_name_servers_are_refused(text: str) -> None:
    """Who is asked for names is not itself looked up."""
    with pytest.raises(ValueError, match=r"port|address"):
        NameServer.of(text)
