"""Orders: what jobs are asked to do, in the database from the asking to the end.

An order is written in the transaction it belongs to. A drain takes what is due and gives it to
the queue, each with a lease; whoever the queue brings it to begins it, renews the lease as long
as the job runs, and notes how it ended. What is lost on the way is taken again when its lease
has ended: a queue that was emptied, a process that was killed.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import orjson
import structlog
from sqlalchemy import BigInteger, Integer, delete, func, insert, literal, null, or_, select, update

from ipcraft.context import request_id
from ipcraft.data.statements import Row, Statement, given
from ipcraft.errors import NotFound
from ipcraft.ids import new_id
from ipcraft.jobs.definitions import Job, Order, Ticket
from ipcraft.jobs.drains import Drain
from ipcraft.jobs.running import Outcome, attempt
from ipcraft.jobs.tables import jobs
from ipcraft.spelling import did_you_mean

if TYPE_CHECKING:
    from ipcraft.contributions import Storage
    from ipcraft.data.transactions import Transaction
    from ipcraft.jobs.queues import JobQueue
    from ipcraft.metrics.counting import Metrics

JOBS = "jobs"
"""The drain that gives due orders to the queue."""

DONE_KEPT = 86_400
"""Seconds for which an order can be looked at that was done."""

FAILED_KEPT = 30 * 86_400
"""Seconds for which one can be looked at, and tried again, that failed."""

MOST_DEATHS = 10
"""How often a job's process may die in the middle of it until it is given up."""

_LOOK_EVERY = 1.0
_MOST_COUNTED = 1000
_UNKNOWN_AGAIN = 60.0
_BUCKETS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)

State = Literal["queued", "running", "failed", "done"]

_j = jobs.c
_NOW = given("now", BigInteger())
_INSERT = Statement(insert(jobs))
_DUE = Statement(
    select(_j.id, _j.name, _j.attempts, _j.failures)
    .where(_j.due_at <= _NOW)
    .order_by(_j.due_at)
    .limit(given("room", BigInteger()))
    .with_for_update(skip_locked=True)
)
_FIRST_DUE = Statement(select(_j.id).where(_j.due_at <= _NOW).limit(1))
_counted = select(_j.id).where(_j.due_at <= _NOW).limit(_MOST_COUNTED).subquery()
_WAITING = Statement(select(func.count()).select_from(_counted))
_LEASE = Statement(
    update(jobs)
    .where(_j.id == given("of"))
    .values(state="queued", lease=given("token"), due_at=given("end", BigInteger()))
)
_HELD = (_j.id == given("of"), _j.lease == given("token"))
_BEGIN = Statement(
    update(jobs)
    .where(*_HELD, _j.state == "queued")
    .values(state="running", attempts=_j.attempts + 1, due_at=given("end", BigInteger()))
    .returning(_j.id, _j.name, _j.payload, _j.request_id, _j.failures)
)
_RENEW = Statement(update(jobs).where(*_HELD).values(due_at=given("end", BigInteger())))
_END = Statement(
    update(jobs)
    .where(*_HELD)
    .values(
        state=given("new_state"),
        failures=_j.failures + given("failed", Integer()),
        reason=given("new_reason"),
        due_at=given("again_at", BigInteger()),
        finished_at=given("end", BigInteger()),
        lease=null(),
    )
)
_LIST = Statement(
    select(
        _j.id,
        _j.name,
        _j.state,
        _j.organization_id,
        _j.attempts,
        _j.reason,
        _j.created_at,
        _j.finished_at,
    )
    .where(or_(_j.state != "done", given("all", Integer()) == literal(1)))
    .order_by(_j.id)
    .limit(given("limit", BigInteger())),
    lambda *columns: Account(*columns),
)
_RETRY = Statement(
    update(jobs)
    .where(_j.id == given("of"), _j.state == "failed")
    .values(state="queued", attempts=0, failures=0, due_at=_NOW, finished_at=null())
)
_TIDY = Statement(
    delete(jobs).where(
        _j.state == given("old_state"), _j.finished_at < given("before", BigInteger())
    )
)

_log = structlog.get_logger("ipcraft.jobs")


@dataclass(frozen=True, slots=True)
class Account:
    """Tell how an order stands; times are in seconds since the epoch."""

    id: str
    job: str
    state: State
    organization_id: str | None
    attempts: int
    reason: str | None
    """Why it failed the last time."""
    created_at: int
    finished_at: int | None


class Orders:
    """Write orders, give them to the queue, and see that they are worked off."""

    def __init__(
        self,
        jobs: Mapping[str, Job],
        *,
        storage: Storage,
        queue: JobQueue,
        clock: Callable[[], float],
        lease: float,
        metrics: Metrics,
    ) -> None:
        self._attempts = metrics.counter(
            "job_attempts",
            "Attempts at jobs, by what came of them: done, again or failed.",
            labels=("job", "outcome"),
        )
        self._seconds = metrics.histogram(
            "job_duration_seconds",
            "How long attempts at jobs took.",
            labels=("job",),
            buckets=_BUCKETS,
        )
        self._jobs = jobs
        self._storage = storage
        self._queue = queue
        self._clock = clock
        self._lease = lease
        self._running: dict[str, str] = {}
        """The orders that run in this process, by their leases."""
        self._renewed = time.monotonic()
        self.asked = False
        """Whether this process has given orders."""
        self.drain = Drain(JOBS, self.run, every=_LOOK_EVERY)

    def write(
        self, job: str, payload: Mapping[str, Any] | None, *, delay: float, tx: Transaction | None
    ) -> str:
        """Write an order, in the transaction or in one of its own; give its id.

        Raises LookupError for a job that nobody gives, TypeError for a payload that is not JSON.
        """
        if job not in self._jobs:
            raise LookupError(f"no plugin gives the job {job!r}{did_you_mean(job, self._jobs)}")
        row = {
            "id": new_id("job"),
            "name": job,
            "payload": orjson.dumps(payload or {}).decode(),
            "request_id": request_id(),
            "state": "queued",
            "attempts": 0,
            "failures": 0,
            "reason": None,
            "due_at": self._after(delay),
            "lease": None,
            "created_at": int(self._clock()),
            "finished_at": None,
        }

        def work(tx: Transaction) -> None:
            tx.write(_INSERT, **row)
            tx.wake(JOBS)

        self.asked = True
        if tx is None:
            self._storage.transact_system(work)
        else:
            work(tx)
        return str(row["id"])

    def run(self) -> float:
        """Give the queue what is due and it has room for; give the seconds to wait.

        Raises `ipcraft.errors.Unavailable` when the database or the queue cannot be used.
        """
        self._renew()
        room = self._queue.room()
        tickets = self.take(room) if room > 0 else []
        for ticket in tickets:
            self._queue.put(ticket)
        return 0.0 if tickets and len(tickets) == room else min(_LOOK_EVERY, self._lease / 3)

    def take(self, room: int) -> list[Ticket]:
        """Take orders that are due, each with a lease, those that wait longest first."""
        now = self._after(0)
        # The look costs one round trip and no lock; most of the time there is nothing.
        if self._storage.look_up(_FIRST_DUE, now=now) is None:
            return []

        def work(tx: Transaction) -> list[Ticket]:
            rows = tx.all(_DUE, now=now, room=room)
            return [ticket for row in rows if (ticket := self._ticket(tx, *row)) is not None]

        return self._storage.transact_system(work)

    def perform(self, ticket: Ticket) -> None:
        """Work an order off, unless it is done or somebody else's by now.

        Whatever the job raises is noted with the order. Raises `ipcraft.errors.Unavailable` when
        the database cannot be used; the order is then taken again.
        """
        held = {"of": ticket.order_id, "token": ticket.lease}
        end = self._after(self._lease)
        row = self._storage.transact_system(lambda tx: tx.one(_BEGIN, **held, end=end))
        if row is None:
            return
        self._running[ticket.lease] = ticket.order_id
        try:
            outcome = self._attempt(row)
        finally:
            del self._running[ticket.lease]
        self._storage.transact_system(lambda tx: self._note(tx, held, outcome))

    def waiting(self) -> int:
        """Count the orders that are due and not taken; at most a thousand."""
        row = self._storage.look_up(_WAITING, now=self._after(0))
        return int(row[0]) if row else 0

    def accounts(self, *, finished: bool, limit: int) -> list[Account]:
        """Tell how orders stand, the oldest first; those that are done only if `finished`."""
        with self._storage.read_system() as tx:
            return tx.all(_LIST, all=int(finished), limit=limit)

    def retry(self, order_id: str) -> None:
        """Have an order that failed tried again, as often as a new one. Raises `NotFound`."""
        now = self._after(0)

        def work(tx: Transaction) -> None:
            if not tx.execute(_RETRY, of=order_id, now=now):
                raise NotFound(f"no job {order_id} has failed")
            tx.wake(JOBS)

        self.asked = True
        self._storage.transact_system(work)

    def tidy(self) -> None:
        """Forget the orders that were done, and after a longer time those that failed."""
        now = int(self._clock())

        def work(tx: Transaction) -> None:
            tx.write(_TIDY, old_state="done", before=now - DONE_KEPT)
            tx.write(_TIDY, old_state="failed", before=now - FAILED_KEPT)

        self._storage.transact_system(work)

    def _after(self, seconds: float) -> int:
        """Give the time so many seconds from now, in milliseconds."""
        return int((self._clock() + seconds) * 1000)

    def _ticket(
        self, tx: Transaction, order_id: str, job: str, attempts: int, failures: int
    ) -> Ticket | None:
        token = secrets.token_hex(8)
        tx.write(_LEASE, of=order_id, token=token, end=self._after(self._lease))
        if attempts - failures > MOST_DEATHS:
            reason = f"its process died {attempts - failures} times in the middle of it"
            _log.error("a job is given up", job=job, id=order_id, reason=reason)
            self._note(tx, {"of": order_id, "token": token}, Outcome(reason))
            return None
        return Ticket(order_id, job, token)

    def _attempt(self, row: Row) -> Outcome:
        order_id, name, payload, asked_by, failures = row
        job = self._jobs.get(name)
        if job is None:
            # Another process may have the plugin, or this one after its next start.
            return Outcome(f"no plugin gives the job {name!r}", _UNKNOWN_AGAIN)
        order = Order(id=order_id, job=name, payload=orjson.loads(payload), request_id=asked_by)
        began = time.perf_counter()
        outcome = attempt(job, order, number=failures + 1)
        self._seconds.observe(time.perf_counter() - began, name)
        self._attempts.add(name, outcome.word)
        return outcome

    def _note(self, tx: Transaction, held: Mapping[str, str], outcome: Outcome) -> None:
        failed = outcome.reason is not None
        again = outcome.pause is not None
        tx.write(
            _END,
            **held,
            new_state="queued" if again else "failed" if failed else "done",
            failed=int(failed),
            new_reason=outcome.reason,
            again_at=self._after(outcome.pause) if outcome.pause is not None else None,
            end=None if again else int(self._clock()),
        )

    def _renew(self) -> None:
        """Keep the leases of the orders that run in this process."""
        if time.monotonic() - self._renewed < self._lease / 3:
            return
        self._renewed = time.monotonic()
        running = list(self._running.items())
        end = self._after(self._lease)

        def work(tx: Transaction) -> None:
            for token, order_id in running:
                tx.write(_RENEW, of=order_id, token=token, end=end)

        if running:
            self._storage.transact_system(work)
