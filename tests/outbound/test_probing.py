"""Many ports at once: what each says, in time, without a thread, and only where we may go."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import psutil
import pytest

from ipcraft.outbound.failures import Refused, Unreachable
from ipcraft.outbound.probing import Probe
from ipcraft.testing.services import DNSServer, free_port

from .conftest import Reach

HOST = "127.0.0.1"


@pytest.fixture
def open_port() -> Iterator[int]:
    """Give a port that takes connections."""
    with socket.create_server((HOST, 0)) as listener:
        yield listener.getsockname()[1]


@contextmanager
def black_hole() -> Iterator[int]:
    """Give a port whose queue is full: it says nothing to whoever knocks."""
    with ExitStack() as opened:
        listener = opened.enter_context(socket.create_server((HOST, 0), backlog=0))
        port: int = listener.getsockname()[1]
        for _ in range(4):
            crowd = opened.enter_context(socket.socket())
            crowd.setblocking(False)
            crowd.connect_ex((HOST, port))
        yield port


def outcomes(probes: Iterator[Probe]) -> dict[int, str]:
    """Give what came of each port."""
    return {each.port: each.outcome for each in probes}


def test_each_port_says_what_it_is(reach: Reach, open_port: int) -> None:
    """Open and refused are told apart, and both are answers."""
    shut = free_port()
    probes = list(reach().probe(HOST, [open_port, shut]))
    assert outcomes(iter(probes)) == {open_port: "open", shut: "refused"}
    assert all(each.answered and 0 <= each.seconds < 5 for each in probes)


def test_silence_ends_with_the_deadline(reach: Reach, open_port: int) -> None:
    """What answers is told at once; a port that says nothing is not told of."""
    began = time.monotonic()
    with black_hole() as silent:
        probes = reach().probe(HOST, [silent, open_port], deadline=0.5)
        assert next(probes).port == open_port
        assert time.monotonic() - began < 0.4
        assert list(probes) == []
    assert 0.4 < time.monotonic() - began < 2.5


def test_a_hundred_silent_ports_take_no_longer_than_one(reach: Reach) -> None:
    """They are waited for together, and nobody else waits: no thread, no file left."""
    outbound, process = reach(), psutil.Process()
    threads, files = threading.active_count(), process.num_fds()
    with black_hole() as silent:
        began = time.monotonic()
        probes = outbound.probe(HOST, [silent] * 100, deadline=0.4)
        assert next(probes, None) is None
        assert threading.active_count() == threads
        assert time.monotonic() - began < 2.4
    assert process.num_fds() == files


def test_who_has_seen_enough_leaves_nothing_open(reach: Reach, open_port: int) -> None:
    """Closing the iterator closes the connections that are still on their way."""
    outbound, process = reach(), psutil.Process()
    with black_hole() as silent:
        files = process.num_fds()
        with closing(outbound.probe(HOST, [silent, silent, open_port], deadline=30)) as probes:
            assert next(probes).port == open_port
            assert process.num_fds() > files
        assert process.num_fds() == files


def test_a_family_this_machine_has_not_is_unreachable(reach: Reach, name_server: DNSServer) -> None:
    """The other one is probed all the same."""
    name_server.tell("both.example", HOST, "2001:db8::1")
    shut = free_port()
    allowed = ["127.0.0.0/8", "2001:db8::/32"]
    found = [
        each.outcome
        for each in reach(allowed_networks=allowed).probe("both.example", [shut], deadline=0.5)
    ]
    assert "refused" in found
    assert "open" not in found


def test_an_address_that_must_not_be_reached_is_refused(reach: Reach) -> None:
    """Before anything is sent."""
    with pytest.raises(Refused, match="not globally reachable"):
        reach(allowed_networks=[]).probe(HOST, [80])


def test_a_port_that_must_not_be_reached_is_forbidden(reach: Reach, open_port: int) -> None:
    """The others are probed."""
    shut = free_port()
    probes = reach(outbound_ports=[shut]).probe(HOST, [open_port, shut])
    assert outcomes(probes) == {open_port: "forbidden", shut: "refused"}


def test_a_host_that_is_not_there(reach: Reach) -> None:
    """A name without an address is unreachable."""
    with pytest.raises(Unreachable, match="there is no host"):
        reach().probe("nobody.example", [80])


def test_an_operators_host_is_not_judged(reach: Reach, open_port: int) -> None:
    """A trusted connection goes where and to which port it is told; any other does not."""
    outbound = reach(allowed_networks=[], outbound_ports=[443])
    outbound.connect(HOST, open_port, trusted=True).close()
    with pytest.raises(Refused):
        outbound.connect(HOST, open_port)
