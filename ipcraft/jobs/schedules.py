"""Schedules: jobs that run by themselves, each once in its interval over all processes.

Every process looks when the next job is due. Who moves its time on in the database has the run,
so no process is special and none has to be there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import BigInteger, insert, select, update

from ipcraft.data.statements import Statement, given
from ipcraft.errors import RequestError
from ipcraft.jobs.tables import job_schedules

if TYPE_CHECKING:
    from ipcraft.contributions import Storage
    from ipcraft.data.transactions import Transaction
    from ipcraft.jobs.definitions import Job

_MOST_SLEEP = 60.0
_AFTER_FAILURE = 5.0

_c = job_schedules.c
_ALL = Statement(select(_c.job, _c.due_at))
_DUE = Statement(select(_c.due_at).where(_c.job == given("name")))
_ADD = Statement(insert(job_schedules))
_MOVE = Statement(
    update(job_schedules)
    .where(_c.job == given("name"), _c.due_at == given("before", BigInteger()))
    .values(due_at=given("after", BigInteger()))
)

_log = structlog.get_logger("ipcraft.jobs")


class Schedules:
    """Queue scheduled jobs when they are due; a job that never ran is due at once."""

    def __init__(
        self,
        jobs: Sequence[Job],
        *,
        storage: Storage,
        enqueue: Callable[[str, Transaction], object],
        clock: Callable[[], float],
    ) -> None:
        self._every = {job.name: job.every for job in jobs if job.every is not None}
        self._storage = storage
        self._enqueue = enqueue
        self._clock = clock
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Look after the schedules from now on, in a thread of its own."""
        if self._every and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="job-schedules", daemon=True)
            self._thread.start()

    def end(self) -> None:
        """Stop looking after them."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def run_due(self) -> float:
        """Queue each job that is due and that no other process takes; give the seconds to wait.

        Raises `ipcraft.errors.Unavailable` when the database cannot be used.
        """
        now = int(self._clock())
        with self._storage.read_system() as tx:
            due: Mapping[str, int] = dict(tx.all(_ALL))
        for name, every in self._every.items():
            if due.get(name, now) <= now:
                self._take(name, now=now, after=now + every)
        waits = [max(due.get(name, 0) - now, 0) or every for name, every in self._every.items()]
        return float(min(waits, default=_MOST_SLEEP))

    def _take(self, name: str, *, now: int, after: int) -> None:
        """Move the job's time on and order the run with it, unless another process has."""

        def work(tx: Transaction) -> None:
            before = tx.value(_DUE, name=name)
            if before is None:
                tx.execute(_ADD, job=name, due_at=after)
                self._enqueue(name, tx)
            elif before <= now and tx.execute(_MOVE, name=name, before=before, after=after):
                self._enqueue(name, tx)

        self._storage.transact_system(work)

    def _run(self) -> None:
        pause = 0.0
        while not self._ended.wait(min(pause, _MOST_SLEEP)):
            try:
                pause = self.run_due()
            except RequestError as error:
                _log.warning("schedules cannot be looked up", reason=error.message)
                pause = _AFTER_FAILURE
