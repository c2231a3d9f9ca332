"""Jobs in the process that asks for them, in threads of their own."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count

import structlog

from ipcraft.plugin import Application, Order, Unavailable, attempt

CAPACITY = 10_000
"""Orders that may wait at once; they lie in the memory of the process."""

GRACE = 10.0
"""Seconds that a process which ends gives to its jobs."""

_log = structlog.get_logger("ipcraft_local")


@dataclass(frozen=True, slots=True, order=True)
class _Waiting:
    due: float
    """Time on the monotonic clock."""
    number: int
    """Keeps orders that are due at the same time in their order."""
    order: Order = field(compare=False)
    attempt: int = field(compare=False, default=1)


class LocalQueue:
    """Run jobs in threads of this process, started with the first order.

    What waits is lost when the process is killed. At an orderly end, everything that waits is
    tried once more, at once; what then fails, or is not done within `GRACE` seconds, is lost and
    the log says so.
    """

    name = "local"
    runs_here = True

    def __init__(self, app: Application, *, threads: int) -> None:
        self._app = app
        self._most_threads = threads
        self._threads: list[threading.Thread] = []
        self._changed = threading.Condition()
        self._numbers = count()
        self._waiting: list[_Waiting] = []
        self._closing = False

    def put(self, order: Order) -> None:
        """Take the order, unless too many wait."""
        with self._changed:
            # At the end a job may still ask for what belongs to it.
            if self._closing and threading.current_thread() not in self._threads:
                raise Unavailable("this process is ending and takes no jobs any more")
            if len(self._waiting) >= CAPACITY:
                raise Unavailable(f"{CAPACITY} jobs are waiting already; try again later")
            self._add(order, delay=order.delay)

    def close(self) -> None:
        """Do what waits, then end the threads."""
        with self._changed:
            if self._closing:
                return
            self._closing = True
            self._changed.notify_all()
        deadline = time.monotonic() + GRACE
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0))
        with self._changed:
            lost, self._waiting = self._waiting, []
        if lost:
            jobs = sorted({waiting.order.job for waiting in lost})
            _log.error("jobs are lost: there was no time for them", number=len(lost), jobs=jobs)

    def _add(self, order: Order, *, delay: float, attempt: int = 1) -> None:
        due = time.monotonic() + delay
        heappush(self._waiting, _Waiting(due, next(self._numbers), order, attempt))
        if len(self._threads) < self._most_threads:
            thread = threading.Thread(target=self._work, name="jobs", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._changed.notify()

    def _work(self) -> None:
        while (waiting := self._next()) is not None:
            self._run(waiting)

    def _next(self) -> _Waiting | None:
        """Wait for what is due next; None at the end."""
        with self._changed:
            while True:
                if self._closing:
                    return heappop(self._waiting) if self._waiting else None
                pause = self._waiting[0].due - time.monotonic() if self._waiting else None
                if pause is not None and pause <= 0:
                    return heappop(self._waiting)
                self._changed.wait(pause)

    def _run(self, waiting: _Waiting) -> None:
        order = waiting.order
        pause = attempt(self._app.jobs[order.job], order, number=waiting.attempt)
        if pause is None:
            return
        with self._changed:
            if not self._closing:
                self._add(order, delay=pause, attempt=waiting.attempt + 1)
                return
        _log.error("a job is lost: it failed when the process ended", job=order.job, id=order.id)
