"""A worker's threads: one stays with a connection whose requests follow each other, if it may."""

from __future__ import annotations

import io
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from gunicorn import util
from gunicorn.config import Config
from gunicorn.workers.gthread import ThreadWorker

from ipcraft.cli import worker as module
from ipcraft.cli.open_connections import OpenConnections
from ipcraft.cli.worker import COURTESY, Worker, fix
from ipcraft.testing.serving import Served

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n"
PATIENCE = 10.0


class Pool:
    """Be a pool whose threads begin when a test says so."""

    def __init__(self) -> None:
        self.due: deque[Callable[[], None]] = deque()
        self.last: Future[bool]

    def submit(self, work: Callable[..., bool], *arguments: Any) -> Future[bool]:
        """Have it done later."""
        future = self.last = Future[bool]()
        self.due.append(lambda: future.set_result(work(*arguments)))
        return future

    def run(self) -> None:
        """Do what is due first."""
        self.due.popleft()()


class Peer:
    """Be a client, and the connection that the worker has with it."""

    def __init__(self) -> None:
        self.client, sock = socket.socketpair()
        sock.settimeout(PATIENCE)
        unreader = SimpleNamespace(buf=io.BytesIO())
        self.connection: Any = SimpleNamespace(
            sock=sock, parser=SimpleNamespace(unreader=unreader), answered=0, ahead=b""
        )
        """`ahead` is what is read together with the first request."""

    def close(self) -> None:
        """Close both ends."""
        self.client.close()
        self.connection.sock.close()


@pytest.fixture
def peers() -> Iterator[list[Peer]]:
    """Give two clients."""
    with closing(Peer()) as one, closing(Peer()) as other:
        yield [one, other]


@pytest.fixture
def pool() -> Pool:
    """Give the threads."""
    return Pool()


@pytest.fixture
def worker(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """Give a worker whose requests are of one byte; an empty one ends the connection."""

    def handle(worker: ThreadWorker, conn: Any) -> bool:
        conn.answered += 1
        request = conn.parser.unreader.buf.getvalue() or conn.sock.recv(1)
        conn.parser.unreader.buf, conn.ahead = io.BytesIO(conn.ahead), b""
        return bool(request)

    monkeypatch.setattr(ThreadWorker, "handle", handle)
    worker = Worker(0, 0, [], None, 30, Config(), None)
    worker.tpool = pool  # type: ignore[assignment] # it does what is asked of it
    worker.method_queue.init()
    yield worker
    worker.method_queue.close()
    worker.tmp.close()


def test_what_is_configured_is_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every setting is as it was, and none is looked up; what is made of settings still is."""
    config, fixed = Config(), Config()
    for each in (config, fixed):
        each.set("keepalive", 7)
        each.set("certfile", "cert.pem")
    fix(fixed)
    expected = {name: getattr(config, name) for name in config.settings}
    monkeypatch.delattr(Config, "__getattr__")
    assert {name: getattr(fixed, name) for name in fixed.settings} == expected
    assert fixed.keepalive == 7
    assert fixed.is_ssl


def test_a_thread_stays_while_requests_follow(
    worker: Worker, pool: Pool, peers: list[Peer]
) -> None:
    """It answers them one after the other, and the end."""
    peers[0].client.sendall(b"xxx")
    peers[0].client.shutdown(socket.SHUT_WR)
    worker.enqueue_req(peers[0].connection)
    pool.run()
    assert peers[0].connection.answered == 4


def test_a_thread_goes_when_nothing_follows(worker: Worker, pool: Pool, peers: list[Peer]) -> None:
    """Who is silent holds no thread."""
    peers[0].client.sendall(b"x")
    worker.enqueue_req(peers[0].connection)
    pool.run()
    assert peers[0].connection.answered == 1


def test_what_was_read_ahead_follows(worker: Worker, pool: Pool, peers: list[Peer]) -> None:
    """It does not make the connection readable any more."""
    peers[0].client.sendall(b"x")
    peers[0].connection.ahead = b"x"
    worker.enqueue_req(peers[0].connection)
    pool.run()
    assert peers[0].connection.answered == 2


def test_an_answer_is_whole_before_the_next_request_is_waited_for(
    worker: Worker, pool: Pool, peers: list[Peer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A head that nothing follows is all of it; with the client goes the connection."""
    head = b"HTTP/1.1 204 No Content\r\n\r\n"
    client, kept = peers[0].client, peers[0].connection

    def answer(worker: ThreadWorker, conn: Any) -> bool:
        conn.sock.setblocking(True)
        conn.sock.recv(1)
        conn.sock.sendall(head)
        return True

    def look(conn: Any) -> bool:
        received.append(client.recv(1 << 10, socket.MSG_DONTWAIT))
        client.close()
        return True

    received: list[bytes] = []
    monkeypatch.setattr(ThreadWorker, "handle", answer)
    monkeypatch.setattr(module, "_has_next", look)
    client.sendall(b"x")
    worker.enqueue_req(kept)
    pool.run()
    assert received == [head]
    assert pool.last.result() is False


def test_the_date_is_that_of_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is made once for all answers of a second."""
    module._date_of_second.cache_clear()
    dates = []
    for now in (784_111_777.0, 784_111_777.9, 784_111_778.0):
        monkeypatch.setattr("time.time", lambda now=now: now)
        dates.append(util.http_date())
    assert dates[1:] == ["Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:38 GMT"]
    assert module._date_of_second.cache_info().misses == 2
    assert util.http_date(0) == "Thu, 01 Jan 1970 00:00:00 GMT"


def test_a_thread_goes_to_who_waits(worker: Worker, pool: Pool, peers: list[Peer]) -> None:
    """However much its connection has to ask."""
    for peer in peers:
        peer.client.sendall(b"xxx")
        worker.enqueue_req(peer.connection)
    pool.run()
    assert [peer.connection.answered for peer in peers] == [1, 0]
    pool.run()
    assert [peer.connection.answered for peer in peers] == [1, 3]


def test_a_thread_goes_when_the_worker_stops(worker: Worker, pool: Pool, peers: list[Peer]) -> None:
    """The connection is given back for its end."""
    peers[0].client.sendall(b"xxx")
    worker.enqueue_req(peers[0].connection)
    worker.alive = False
    pool.run()
    assert peers[0].connection.answered == 1


@pytest.mark.parametrize(("others", "pauses"), [(1, [COURTESY]), (2, []), (3, [])])
def test_a_worker_leaves_a_connection_to_who_has_fewer(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, others: int, pauses: list[float]
) -> None:
    """It waits a moment for the other to take it, and takes it then if it is still there."""
    taken: list[str] = []
    monkeypatch.setattr(module, "OPEN", opened := OpenConnections())
    monkeypatch.setattr("time.sleep", lambda seconds: taken.append(f"{seconds}"))
    monkeypatch.setattr(ThreadWorker, "accept", lambda worker, listener: taken.append(listener))
    opened.note(worker.age + 1, others)
    worker.nr_conns = 2
    opened.note(worker.age, 2)
    worker.accept("connection")  # type: ignore[arg-type] # it is only handed on
    assert taken == [*map(str, pauses), "connection"]


def test_open_connections_are_those_of_workers_that_live() -> None:
    """One that is gone has none to be compared with."""
    opened = OpenConnections()
    assert opened.least() == 0
    opened.note(1, 3)
    opened.note(2, 0)
    assert opened.least() == 0
    opened.forget(2)
    assert opened.least() == 3


@pytest.fixture
def single(tmp_path: Path) -> Iterator[Served]:
    """Serve with one thread."""
    url = f"sqlite:///{tmp_path}/ipcraft.db"
    with Served(url, tmp_path, workers=1, threads=1) as served:
        yield served


def test_a_busy_connection_leaves_its_only_thread_to_others(single: Served) -> None:
    """Two clients that never pause are both answered."""
    together = threading.Barrier(2, timeout=PATIENCE)

    def ask() -> int:
        with requests.Session() as session:
            together.wait()
            answers = [session.get(f"{single.url}/healthz", timeout=PATIENCE) for _ in range(300)]
        return sum(answer.ok for answer in answers)

    with ThreadPoolExecutor(2) as clients:
        asked = [clients.submit(ask) for _ in range(2)]
        assert [each.result() for each in asked] == [300, 300]


def test_requests_sent_together_are_answered_in_order(single: Served) -> None:
    """On one connection, to its end."""
    with socket.create_connection(("127.0.0.1", single.port), timeout=PATIENCE) as connection:
        connection.sendall(REQUEST * 50)
        connection.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    assert received.count(b"HTTP/1.1 200 OK\r\n") == 50
