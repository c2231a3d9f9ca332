"""A connection serves one request after the other, as long as nothing speaks against it."""

from __future__ import annotations

import ssl
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network
from threading import Barrier, Event

import pytest
import trustme

from ipcraft.outbound.client import Outbound
from ipcraft.outbound.connections import IDLE, KeptConnections
from ipcraft.outbound.failures import Refused, Unreachable
from ipcraft.outbound.guard import Guard
from ipcraft.outbound.name_servers import NameServer
from ipcraft.outbound.resolution import BELIEVED, Resolver
from ipcraft.testing import Clock
from ipcraft.testing.services import DNSServer

from .conftest import Reach, Receive
from .receivers import OK, Visit, serve


@pytest.fixture
def clock() -> Clock:
    """Give a clock that both the resolver and the kept connections go by."""
    return Clock(1000.0)


@pytest.fixture
def outbound(name_server: DNSServer, clock: Clock) -> Iterator[Outbound]:
    """Give a client on that clock that may reach 127.0.0.0/24."""
    made = Outbound(
        Guard([ip_network("127.0.0.0/24")]),
        resolver=Resolver([NameServer.of(name_server.address)], clock=clock),
        kept=KeptConnections(clock=clock),
    )
    yield made
    made.close()


def post(outbound: Outbound, url: str) -> int:
    """Post something and give the answer's status."""
    return outbound.post(url, headers={}, body=b"{}", deadline=5.0).status


def test_one_connection_serves_all(receive: Receive, reach: Reach) -> None:
    """Of a hundred requests in a row."""
    requests: list[bytes] = []
    receiver = receive(serve(requests))
    outbound = reach()
    for _ in range(100):
        assert post(outbound, receiver.url()) == 200
    assert (len(requests), receiver.connections) == (100, 1)


def test_one_encrypted_connection_serves_all(
    receive: Receive, reach: Reach, authority: trustme.CA, ca_file: str
) -> None:
    """With one handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    receiver = receive(serve([]), context=context)
    outbound = reach(outbound_ca_file=ca_file)
    for _ in range(20):
        assert post(outbound, receiver.url()) == 200
    assert receiver.connections == 1


def test_threads_have_connections_of_their_own(receive: Receive, reach: Reach) -> None:
    """Each request has one for itself; there are no more than requests at once."""
    requests: list[bytes] = []
    receiver = receive(serve(requests))
    outbound = reach()
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: post(outbound, receiver.url()), range(400)))
    assert (set(statuses), len(requests)) == ({200}, 400)
    assert receiver.connections <= 8


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        OK + OK,
        b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000,
    ],
    ids=["close", "HTTP/1.0", "an answer too many", "a body longer than wanted"],
)
def test_some_answers_are_a_connections_last(receive: Receive, reach: Reach, answer: bytes) -> None:
    """The next request gets another one."""
    receiver = receive(serve([], answer))
    outbound = reach()
    assert [post(outbound, receiver.url()) for _ in range(3)] == [200] * 3
    assert receiver.connections == 3


def test_a_connection_that_was_closed_meanwhile(receive: Receive, reach: Reach) -> None:
    """Is noticed, and nobody is bothered with it."""
    closed = Event()

    def script(visit: Visit) -> None:
        visit.request()
        visit.say(OK)
        visit.socket.close()
        closed.set()

    receiver = receive(script)
    outbound = reach()
    for _ in range(5):
        assert post(outbound, receiver.url()) == 200
        assert closed.wait(5)
        closed.clear()
    assert receiver.connections == 5


def dying(visit: Visit) -> None:
    """Answer the first request, take the second one and reset: the next connection is well."""
    visit.request()
    visit.say(OK)
    visit.request()
    if visit.number == 0:
        visit.reset()
    else:
        visit.say(OK)


def test_a_request_that_a_dead_connection_took_is_repeated(receive: Receive, reach: Reach) -> None:
    """Once, on a new one, if not a byte of an answer had come."""
    receiver = receive(dying)
    outbound = reach()
    assert [post(outbound, receiver.url()) for _ in range(2)] == [200, 200]
    assert receiver.connections == 2


def test_it_is_repeated_once_only(receive: Receive, reach: Reach) -> None:
    """A receiver that dies again has failed."""
    requests: list[bytes] = []

    def script(visit: Visit) -> None:
        requests.append(visit.request())
        if visit.number == 0:
            visit.say(OK)
            requests.append(visit.request())

    receiver = receive(script)
    outbound = reach()
    assert post(outbound, receiver.url()) == 200
    with pytest.raises(Unreachable, match="ends before an answer"):
        post(outbound, receiver.url())
    assert len(requests) == 3


def test_a_request_with_half_an_answer_is_not_repeated(receive: Receive, reach: Reach) -> None:
    """Its answer had begun."""
    requests: list[bytes] = []

    def script(visit: Visit) -> None:
        requests.append(visit.request())
        visit.say(OK)
        requests.append(visit.request())
        visit.say(b"HTTP/1.1 2")

    receiver = receive(script)
    outbound = reach()
    assert post(outbound, receiver.url()) == 200
    with pytest.raises(Unreachable):
        post(outbound, receiver.url())
    assert len(requests) == 2


@pytest.mark.parametrize(
    ("method", "connections"), [("POST", 3), ("PATCH", 3), ("GET", 1), ("PUT", 1)]
)
def test_what_may_not_arrive_twice_gets_a_new_connection(
    receive: Receive, reach: Reach, method: str, connections: int
) -> None:
    """Unless the caller says otherwise, the method decides (RFC 9110, section 9.2.2)."""
    receiver = receive(serve([]))
    outbound = reach()
    for _ in range(3):
        outbound.exchange(method, receiver.url())
    assert receiver.connections == connections
    for _ in range(3):
        outbound.exchange(method, receiver.url(), repeatable=True)
    assert receiver.connections == connections


def test_a_host_that_moves_is_followed(
    receive: Receive, outbound: Outbound, name_server: DNSServer, clock: Clock
) -> None:
    """The connection to its old address is not used when the name server gives another one."""
    old = receive(serve([]), address="127.0.0.2")
    new = receive(serve([]), address="127.0.0.3", port=old.port)
    name_server.tell_in_turn("moving.example", ["127.0.0.2"], ["127.0.0.3"])
    for _ in range(3):
        post(outbound, old.url(host="moving.example"))
    assert (old.connections, new.connections) == (1, 0)
    clock.advance(seconds=BELIEVED + 0.1)
    for _ in range(3):
        post(outbound, old.url(host="moving.example"))
    assert (old.connections, new.connections) == (1, 1)


def test_a_host_that_is_rebound_is_refused(
    receive: Receive, outbound: Outbound, name_server: DNSServer, clock: Clock
) -> None:
    """Though the connection to the good address is there: the name leads elsewhere now."""
    receiver = receive(serve([]))
    inside = receive(serve([]), address="127.0.1.1", port=receiver.port)
    name_server.tell_in_turn("rebound.example", ["127.0.0.1"], ["127.0.1.1"])
    assert post(outbound, receiver.url(host="rebound.example")) == 200
    clock.advance(seconds=BELIEVED + 0.1)
    with pytest.raises(Refused):
        post(outbound, receiver.url(host="rebound.example"))
    assert (receiver.connections, inside.connections) == (1, 0)


def test_rebinding_between_check_and_dial_is_of_no_use(
    receive: Receive, outbound: Outbound, name_server: DNSServer
) -> None:
    """The name is asked for once, and what is dialled is the answer that was judged."""
    receiver = receive(serve([]))
    inside = receive(serve([]), address="127.0.1.1", port=receiver.port)
    name_server.tell_in_turn("rebound.example", ["127.0.0.1"], ["127.0.1.1"])
    outbound.check(receiver.url(host="rebound.example"))
    assert post(outbound, receiver.url(host="rebound.example")) == 200
    assert len([each for each in name_server.questions if each.kind == "A"]) == 1
    assert inside.connections == 0


def test_hosts_at_one_address_do_not_share(
    receive: Receive, outbound: Outbound, name_server: DNSServer
) -> None:
    """What one host of an address says is not taken for another one's answer."""
    receiver = receive(serve([]))
    for name in ("a.example", "b.example"):
        name_server.tell(name, "127.0.0.1")
        post(outbound, receiver.url(host=name))
    assert receiver.connections == 2


def test_a_connection_that_waits_too_long_is_closed(
    receive: Receive, outbound: Outbound, clock: Clock
) -> None:
    """The receiver would close it soon, too."""
    receiver = receive(serve([]))
    post(outbound, receiver.url())
    clock.advance(seconds=IDLE - 0.1)
    post(outbound, receiver.url())
    assert receiver.connections == 1
    clock.advance(seconds=IDLE + 0.1)
    post(outbound, receiver.url())
    assert receiver.connections == 2


def test_to_one_address_a_few_are_kept(receive: Receive, outbound: Outbound) -> None:
    """Of twenty that were needed at once, sixteen wait for the next request."""
    all_are_here = Barrier(20, timeout=10)

    def script(visit: Visit) -> None:
        visit.request()
        all_are_here.wait()
        visit.say(OK)
        visit.linger()

    receiver = receive(script)
    with ThreadPoolExecutor(20) as pool:
        statuses = [pool.submit(post, outbound, receiver.url()) for _ in range(20)]
        assert {each.result() for each in statuses} == {200}
    assert (receiver.connections, len(outbound._kept._by_age)) == (20, 16)


def test_the_number_of_kept_connections_is_bounded(receive: Receive, outbound: Outbound) -> None:
    """However many hosts there are; the youngest are kept."""
    receiver = receive(serve([]), address="0.0.0.0")
    hosts = [f"127.0.0.{number}" for number in range(256)]
    ports = receiver, receive(serve([]), address="0.0.0.0")
    for each in ports:
        for host in hosts[1:255]:
            post(outbound, each.url(host=host))
    assert len(outbound._kept._by_age) == 256
    post(outbound, ports[1].url(host=hosts[1]))
    assert ports[1].connections == 254
    post(outbound, ports[0].url(host=hosts[1]))
    assert ports[0].connections == 255


def test_closing_ends_them(receive: Receive, reach: Reach) -> None:
    """The receiver sees the end; another request is still possible."""
    seen = Event()

    def script(visit: Visit) -> None:
        serve([])(visit)
        seen.set()

    receiver = receive(script)
    outbound = reach()
    post(outbound, receiver.url())
    outbound.close()
    assert seen.wait(5)
    assert post(outbound, receiver.url()) == 200


_FORKING = """
import os, sys
from ipaddress import ip_network
from ipcraft.outbound.client import Outbound
from ipcraft.outbound.guard import Guard

outbound = Outbound(Guard([ip_network("127.0.0.0/8")]))
post = lambda: outbound.post(sys.argv[1], headers={}, body=b"").status
assert post() == 200
child = os.fork()
assert [post() for _ in range(3)] == [200, 200, 200]
if child:
    assert os.waitpid(child, 0)[1] == 0
    assert post() == 200
"""


def test_no_connection_goes_through_a_fork(receive: Receive) -> None:
    """Parent and child talk on connections of their own."""
    receiver = receive(serve([]))
    subprocess.run([sys.executable, "-c", _FORKING, receiver.url()], check=True, timeout=30)
    assert receiver.connections == 2
