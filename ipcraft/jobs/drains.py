"""Drains: work that waits in the database, done by whoever finds it there.

A drain needs no queue. Who commits work wakes it; should the wake be lost, it looks by itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from ipcraft.errors import RequestError

LEAST_PAUSE = 0.1
"""Seconds between two runs of a drain that was woken: what comes meanwhile is done together.

PERF: a run costs as much as some ten writes, so a busy server must not run one for each.
"""

_AFTER_FAILURE = 1.0

_log = structlog.get_logger("ipcraft.jobs")


@dataclass(frozen=True, slots=True)
class Drain:
    """Name work that waits in the database.

    `run` does some of it and gives the seconds until it wants to be called again, 0 for at once.
    It is called in a thread of its own in every process that runs jobs, so several may run side
    by side: what one does must be hidden from the others, with a lease or a lock. It is called
    again after `every` seconds at the latest, sooner when somebody calls ``app.wake(NAME)``. What
    it raises is logged, and it is called again a little later. `close` is called when the process
    ends, after the last run.
    """

    name: str
    run: Callable[[], float]
    every: float = 1.0
    close: Callable[[], object] | None = None


class Drains:
    """Run the drains of one process, each in a thread, from `begin` to `end`."""

    def __init__(self, drains: Mapping[str, Drain]) -> None:
        self._drains = drains
        self._running: dict[str, _Running] = {}
        self._ended: set[str] = set()
        self._changing = threading.Lock()

    def begin(self, *names: str) -> None:
        """Run the drains of these names from now on, all of them when none is named."""
        with self._changing:
            for name in names or self._drains:
                if name not in self._running and name not in self._ended:
                    self._running[name] = _Running(self._drains[name])

    def wake(self, *names: str) -> None:
        """Have these drains run soon, those that run in this process. Never waits."""
        for name in names:
            running = self._running.get(name)
            if running is not None:
                running.wake()

    def end(self, *names: str) -> None:
        """Let the runs that are under way come to their end, then stop for good.

        All drains when none is named.
        """
        with self._changing:
            ended = names or tuple(self._drains)
            self._ended.update(ended)
            running = [self._running.pop(name) for name in ended if name in self._running]
        for each in running:
            each.stop()
        for each in running:
            each.join()


class _Running:
    """Run one drain in a thread."""

    def __init__(self, drain: Drain) -> None:
        self._drain = drain
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"drain-{drain.name}", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        if not self._woken.is_set():  # PERF: to set it takes six calls, and every write does so
            self._woken.set()

    def stop(self) -> None:
        self._stopping.set()
        self._woken.set()

    def join(self) -> None:
        self._thread.join()
        if self._drain.close is not None:
            self._drain.close()

    def _run(self) -> None:
        while True:
            self._woken.clear()
            if self._stopping.is_set():
                return
            began = time.monotonic()
            pause = min(self._attempt(), self._drain.every)
            if pause > 0 and self._woken.wait(pause):
                self._stopping.wait(max(began + LEAST_PAUSE - time.monotonic(), 0))

    def _attempt(self) -> float:
        try:
            return self._drain.run()
        except RequestError as error:
            _log.warning("a drain cannot run now", drain=self._drain.name, reason=error.message)
        except Exception:  # noqa: BLE001 - the work is still there, and must be tried again
            _log.exception("a drain failed", drain=self._drain.name)
        return _AFTER_FAILURE
