"""A worker: one of gunicorn's processes, whose threads answer requests."""

from __future__ import annotations

import select
import socket
import time
from collections import deque
from concurrent.futures import Future
from email.utils import formatdate
from functools import lru_cache
from typing import Any

from gunicorn import util
from gunicorn.config import Config
from gunicorn.workers.gthread import TConn, ThreadWorker

from ipcraft.cli.connection import Connection
from ipcraft.cli.open_connections import OpenConnections
from ipcraft.cli.unreadable_requests import refuse

LINGER_MS = 2
"""How long a thread waits for the next request of its connection, if nobody else needs it."""

COURTESY = 0.001
"""Seconds for which a worker leaves a new connection to those that have fewer."""

OPEN = OpenConnections()
"""Those of all workers that this process forks."""


def http_date(timestamp: float | None = None) -> str:
    """Give a time, by default now, as the header `Date` has it."""
    return _date_of_second(int(time.time() if timestamp is None else timestamp))


@lru_cache(maxsize=1)
def _date_of_second(second: int) -> str:
    return formatdate(second, usegmt=True)


# PERF: gunicorn makes the date anew for each answer, which takes up to 3 % of a request.
util.http_date = http_date


def fix(config: Config) -> None:
    """Make a configuration's settings, which nobody changes any more, its attributes.

    PERF: gunicorn finds each through two calls, and looks for 22 of them in each request.
    """
    vars(config).update({name: setting.get() for name, setting in config.settings.items()})


class Worker(ThreadWorker):
    """Be gunicorn's worker with threads, whose threads stay where the next request comes from.

    Its errors look like all others.

    PERF: gunicorn gives a connection back to the main thread after each request, which waits for
    the next one and wakes a thread for it: 220 us of a request. A client that sends one request
    after the other has sent it by then.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._waiting: deque[TConn] = deque()
        """Connections with a request that no thread has begun with."""

    def init_process(self) -> None:
        """Begin, with no connection open."""
        OPEN.note(self.age, 0)
        fix(self.cfg)
        super().init_process()

    def accept(self, listener: socket.socket) -> None:
        """Take a new connection, unless a worker with fewer takes it.

        PERF: it is whoever wakes first that takes what comes, so of sixteen connections that are
        opened at once one worker may have twelve, and one processor all the work.
        """
        if self.nr_conns > OPEN.least():
            time.sleep(COURTESY)
        super().accept(listener)
        OPEN.note(self.age, self.nr_conns)

    def finish_request(self, conn: TConn, fs: Future[Any]) -> None:
        """Keep the connection for its next request, or close it."""
        super().finish_request(conn, fs)
        OPEN.note(self.age, self.nr_conns)

    def enqueue_req(self, conn: TConn) -> None:
        """Have the next thread that is free handle the connection."""
        if not isinstance(conn.sock, Connection):
            conn.sock = Connection(conn.sock)
        self._waiting.append(conn)
        super().enqueue_req(conn)

    def handle(self, conn: TConn) -> bool:
        """Answer requests of a connection while they follow at once and no other one waits."""
        self._waiting.popleft()
        while True:
            goes_on = super().handle(conn)
            if not _flush(conn):
                return False
            # Only True says so: gunicorn gives something else for one that has sent nothing yet.
            if goes_on is not True or not self.alive or self._waiting or not _has_next(conn):
                return goes_on

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:
        """Answer in the server's name what the application could not answer."""
        refuse(client, addr, exc)


def _flush(conn: TConn) -> bool:
    """Send what is left of the answer; tell whether the client is still there."""
    assert isinstance(conn.sock, Connection), "it is one since it was accepted"
    try:
        conn.sock.flush()
    except OSError:
        return False
    return True


def _has_next(conn: TConn) -> bool:
    """Wait a moment for the connection's next request."""
    unreader = getattr(conn.parser, "unreader", None)
    if unreader is not None and unreader.buf.getvalue():  # it came with the last one
        return True
    poller = select.poll()
    poller.register(conn.sock, select.POLLIN)
    return bool(poller.poll(LINGER_MS))
