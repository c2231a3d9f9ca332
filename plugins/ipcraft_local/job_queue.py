"""Jobs in the process that serves, in threads of their own."""

from __future__ import annotations

import threading
import time
from collections import deque

import structlog

from ipcraft.plugin import Application, RequestError, Ticket

GRACE = 10.0
"""Seconds that a process which ends gives to its jobs."""

_WAITING_PER_THREAD = 8
"""Tickets that may wait in memory; more stand in the database, where other processes find them."""

_JOBS = "jobs"

_log = structlog.get_logger("ipcraft_local")


class LocalQueue:
    """Run jobs in threads of this process, started with the first ticket.

    At an orderly end, a process that has asked for jobs does what is due, for `GRACE` seconds at
    most; what is left stands in the database for the next one.
    """

    name = "local"
    runs_here = True

    def __init__(self, app: Application, *, threads: int) -> None:
        self._app = app
        self._most_threads = threads
        self._threads: list[threading.Thread] = []
        self._changed = threading.Condition()
        self._waiting: deque[Ticket] = deque()
        self._closing = False

    def room(self) -> int:
        """Give how many more tickets may wait."""
        return _WAITING_PER_THREAD * self._most_threads - len(self._waiting)

    def put(self, ticket: Ticket) -> None:
        """Have a thread take the ticket."""
        with self._changed:
            self._waiting.append(ticket)
            if len(self._threads) < self._most_threads:
                thread = threading.Thread(target=self._work, name="jobs", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._changed.notify()

    def wake(self, drain: str) -> None:
        """Do nothing: the drains of this process know."""

    def close(self) -> None:
        """Do what is due, then end the threads."""
        self._app.drains.end(_JOBS)
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        deadline = time.monotonic() + GRACE
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0))
        if self._app.orders.asked:
            self._finish(deadline)

    def _finish(self, deadline: float) -> None:
        try:
            while time.monotonic() < deadline:
                tickets = self._app.orders.take(1)
                if not tickets:
                    return
                for ticket in tickets:
                    self._app.orders.perform(ticket)
        except RequestError as error:
            _log.warning("jobs are left for the next process", reason=error.message)

    def _work(self) -> None:
        while (ticket := self._next()) is not None:
            try:
                self._app.orders.perform(ticket)
            except RequestError as error:
                # The order's lease ends, and somebody takes it again.
                _log.warning("a job waits", job=ticket.job, reason=error.message)
            if not self._waiting:
                self._app.drains.wake(_JOBS)

    def _next(self) -> Ticket | None:
        """Wait for the next ticket; None at the end."""
        with self._changed:
            while not self._waiting:
                if self._closing:
                    return None
                self._changed.wait()
            return self._waiting.popleft()
