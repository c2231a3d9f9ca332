"""The load: any number of keep-alive connections driven by one loop, so that clients cost little.

Each client sends its next request when the answer to the last one is complete. One process with
a selector needs some 25 us per request, which two cores shared with the server can spare; a
thread per client would need several times that.
"""

from __future__ import annotations

import gc
import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from bench.figures import Figures
from bench.messages import Endpoint, complete, status

_WARMING = 64
_LONGEST_ANSWER = 120.0
"""Seconds after the last request after which a missing answer counts as broken."""


@dataclass(slots=True)
class _Client:
    connection: socket.socket
    requests: Iterator[bytes]
    received: bytearray = field(default_factory=bytearray)
    sent_at: int = 0


@dataclass(slots=True)
class _Run:
    endpoint: Endpoint
    expected: frozenset[int]
    keep: bool
    may_send: Callable[[], bool]
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    latencies: list[int] = field(default_factory=list[int])
    statuses: Counter[int] = field(default_factory=Counter[int])
    answers: list[bytes] = field(default_factory=list[bytes])
    surprise: str | None = None

    def connect(self) -> socket.socket:
        connection = socket.create_connection((self.endpoint.host, self.endpoint.port), timeout=30)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def open(self, requests: Iterator[bytes]) -> None:
        connection = self.connect()
        self.selector.register(connection, selectors.EVENT_READ, _Client(connection, requests))

    def send(self, client: _Client) -> None:
        """Send the client's next request, or hang up when there is none."""
        message = next(client.requests, None) if self.may_send() else None
        if message is None:
            self.hang_up(client)
            return
        client.received.clear()
        client.sent_at = time.perf_counter_ns()
        try:
            client.connection.sendall(message)
        except OSError as error:
            self.lost(client, str(error))

    def receive(self, client: _Client) -> None:
        """Take what came; when the answer is complete, write it down and send the next request."""
        try:
            data = client.connection.recv(1 << 18)
        except OSError as error:
            self.lost(client, str(error))
            return
        if not data:
            self.lost(client, "connection closed before the answer was complete")
            return
        client.received += data
        if complete(client.received):
            self.latencies.append(time.perf_counter_ns() - client.sent_at)
            self.note(client.received)
            self.send(client)

    def note(self, answer: bytearray) -> None:
        code = status(answer)
        self.statuses[code] += 1
        if code not in self.expected and self.surprise is None:
            self.surprise = bytes(answer[-300:]).decode(errors="replace")
        if self.keep:
            self.answers.append(bytes(answer))

    def lost(self, client: _Client, reason: str) -> None:
        """Count a broken connection and go on with a new one."""
        self.statuses[0] += 1
        self.surprise = self.surprise or reason
        self.hang_up(client)
        try:
            client.connection = self.connect()
        except OSError:
            return
        self.selector.register(client.connection, selectors.EVENT_READ, client)
        self.send(client)

    def hang_up(self, client: _Client) -> None:
        self.selector.unregister(client.connection)
        client.connection.close()

    def clients(self) -> list[_Client]:
        return [key.data for key in self.selector.get_map().values()]


def drive(
    endpoint: Endpoint,
    clients: Sequence[Iterator[bytes]],
    *,
    expected: int | frozenset[int] = 200,
    seconds: float = 10.0,
    keep: bool = False,
    until: Callable[[], bool] | None = None,
) -> Figures:
    """Send requests, one client per iterator, till the iterators end or the time is up.

    Clients may share one iterator. `keep` keeps whole answers. With `until` the load goes on
    till it says True; `seconds` bounds it still.
    """
    codes = expected if isinstance(expected, frozenset) else frozenset({expected})
    deadline = time.monotonic() + seconds

    def may_send() -> bool:
        return time.monotonic() < deadline and not (until is not None and until())

    run = _Run(endpoint, codes, keep, may_send)
    for requests in clients:
        run.open(requests)
    collecting = gc.isenabled()
    gc.disable()
    started = time.perf_counter()
    try:
        _loop(run, deadline + _LONGEST_ANSWER)
        elapsed = time.perf_counter() - started
    finally:
        if collecting:
            gc.enable()
        for client in run.clients():
            run.hang_up(client)
        run.selector.close()
    return Figures(run.latencies, elapsed, run.statuses, run.answers, run.surprise)


def warm(endpoint: Endpoint, requests: Iterator[bytes]) -> Sequence[bytes]:
    """Send a few requests at once, off the clock, so that every thread has its connections.

    Gives the answers, for whoever has to tidy up after them.
    """
    messages = list(islice(requests, _WARMING))
    return drive(endpoint, shared(iter(messages), 16), seconds=10, keep=True).answers


def shared(requests: Iterator[bytes], clients: int) -> list[Iterator[bytes]]:
    """Let this many clients take their requests from one iterator."""
    return [requests] * clients


def _loop(run: _Run, give_up: float) -> None:
    for client in run.clients():
        run.send(client)
    while run.selector.get_map():
        ready = run.selector.select(timeout=1.0)
        for key, _ in ready:
            run.receive(key.data)
        if not ready and time.monotonic() > give_up:
            run.statuses[0] += len(run.clients())
            run.surprise = run.surprise or "no answer"
            return
