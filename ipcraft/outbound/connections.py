"""Connections, and those that are kept for the next request."""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Lock

import h11

from ipcraft.outbound.deadlines import Deadline
from ipcraft.outbound.special_purpose import Address

IDLE = 10.0
"""Seconds for which a connection without work is kept."""

_KEPT = 256
"""Connections without work that are kept."""
_KEPT_EACH = 16
"""Those of them that lead to one address."""
_PIECE = 16 * 1024
_LARGEST_HEAD = 32 * 1024


@dataclass(frozen=True, slots=True)
class Way:
    """Say what a connection may be used for: the same host, by the same address."""

    scheme: str
    host: str
    port: int
    address: Address


class Connection:
    """Hold a socket and where the conversation on it stands."""

    __slots__ = ("_socket", "idle_since", "parser", "way")

    def __init__(self, opened: socket.socket, way: Way) -> None:
        self._socket = opened
        self.way = way
        self.parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LARGEST_HEAD)
        self.idle_since = 0.0

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Send everything. The timeout is set for each piece: TLS would begin anew with each."""
        rest = memoryview(data)
        while rest:
            self._socket.settimeout(deadline.remaining())
            rest = rest[self._socket.send(rest) :]

    def receive(self, deadline: Deadline) -> bytes:
        """Give what comes next, however little; nothing when the other side has ended."""
        self._socket.settimeout(deadline.remaining())
        return self._socket.recv(_PIECE)

    def is_quiet(self) -> bool:
        """Tell whether nothing has come: neither an end nor what nobody asked for."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        """Close it without another word."""
        self._socket.close()


class KeptConnections:
    """Keep connections that wait for work, a while and up to a number; for use by many threads.

    None is kept through a fork: two processes would talk on it.
    """

    __slots__ = ("_by_age", "_by_way", "_clock", "_lock", "_process")

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begin()

    def take(self, way: Way) -> Connection | None:
        """Give a connection that goes this way and is still quiet, if there is one."""
        self._notice_fork()
        while connection := self._newest(way):
            if connection.is_quiet():
                return connection
            connection.close()
        return None

    def keep(self, connection: Connection) -> None:
        """Keep a connection whose last answer was read to its end."""
        self._notice_fork()
        connection.idle_since = self._clock()
        with self._lock:
            same = self._by_way.setdefault(connection.way, [])
            same.append(connection)
            self._by_age[connection] = None
            surplus = [self._forget(same[0])] if len(same) > _KEPT_EACH else []
            surplus += self._surplus()
        _close(surplus)

    def close(self) -> None:
        """Close all that are kept."""
        with self._lock:
            kept = list(self._by_age)
            self._by_age.clear()
            self._by_way.clear()
        _close(kept)

    def _begin(self) -> None:
        self._process = os.getpid()
        self._lock = Lock()
        self._by_age: dict[Connection, None] = {}
        self._by_way: dict[Way, list[Connection]] = {}

    def _notice_fork(self) -> None:
        """Give up the parent's connections: to close them here ends nothing there."""
        if self._process != os.getpid():
            inherited = list(self._by_age)
            self._begin()
            _close(inherited)

    def _newest(self, way: Way) -> Connection | None:
        with self._lock:
            surplus = self._surplus()
            same = self._by_way.get(way)
            newest = self._forget(same[-1]) if same else None
        _close(surplus)
        return newest

    def _surplus(self) -> list[Connection]:
        """Take out those that have waited too long, and the oldest where there are too many."""
        surplus = []
        earliest = self._clock() - IDLE
        while self._by_age:
            oldest = next(iter(self._by_age))
            if oldest.idle_since >= earliest and len(self._by_age) <= _KEPT:
                break
            surplus.append(self._forget(oldest))
        return surplus

    def _forget(self, connection: Connection) -> Connection:
        del self._by_age[connection]
        same = self._by_way[connection.way]
        same.remove(connection)
        if not same:
            del self._by_way[connection.way]
        return connection


def _close(connections: Iterable[Connection]) -> None:
    for each in connections:
        each.close()
