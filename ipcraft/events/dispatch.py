"""Dispatch: taking each organization's events to each sink.

How far a sink has come with an organization's events is a row. Who takes them on has a lease on it:
so they are in one hand at a time, and in order. The lease of a hand that dies ends by itself.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import BigInteger, Integer, case, literal_column, null, select, update
from tenacity.wait import wait_exponential, wait_random

from ipcraft.data.statements import Statement, given, own
from ipcraft.errors import RequestError
from ipcraft.events.reading import events_after
from ipcraft.events.sinks import ClosableSink, Postponed, SelectiveSink
from ipcraft.events.tables import event_positions
from ipcraft.jobs.definitions import Retries
from ipcraft.jobs.drains import Drain

if TYPE_CHECKING:
    from ipcraft.contributions import Storage
    from ipcraft.events.sinks import Event, EventSink

AT_ONCE = 100
"""Events of one organization that a sink is given before the next organization has its turn."""

HANDS = 4
"""Organizations whose events a process takes to one sink at the same time."""

GRACE = 10.0
"""Seconds that a process which ends gives to its sinks."""

_LOOK_EVERY = 1.0
_PAUSES = Retries(1 << 30, wait_exponential(multiplier=1, max=300) + wait_random(0, 1))
_LEAST_WISH, _LONGEST_WISH = 1.0, 3600.0
_LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class _Lease:
    """Hold what was taken: an organization's events from a position on."""

    organization_id: str
    position: int
    newest: int
    failures: int
    token: str


_p = event_positions.c
_NOW = given("now", BigInteger())
_DUE = (_p.sink == given("sink"), _p.due_at <= _NOW)
_FIRST_DUE = Statement(select(_p.due_at).where(*_DUE).limit(1))


def _take(number: int) -> Statement[_Lease]:
    """Take so many that are due.

    PERF: with the number as a parameter PostgreSQL would plan for more, and read the whole table.
    """
    due = (
        select(_p.organization_id)
        .where(*_DUE)
        .order_by(_p.due_at)
        .limit(literal_column(str(number)))
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    return Statement(
        update(event_positions)
        .where(_p.organization_id == due.c.organization_id, _p.sink == given("sink"))
        .values(lease=given("token"), due_at=given("end", BigInteger()))
        .returning(_p.organization_id, _p.position, _p.newest, _p.failures, _p.lease),
        lambda *columns: _Lease(*columns),
    )


_TAKE = {number: _take(number) for number in range(1, HANDS + 1)}
_HELD = (_p.organization_id == own(), _p.sink == given("sink"), _p.lease == given("token"))
_RENEW = Statement(update(event_positions).where(*_HELD).values(due_at=given("end", BigInteger())))
_TAKEN = Statement(
    update(event_positions)
    .where(*_HELD)
    .values(
        position=given("reached", BigInteger()),
        due_at=case((_p.newest > given("reached", BigInteger()), _NOW), else_=null()),
        lease=null(),
        failures=0,
        reason=null(),
    )
)
_REFUSED = Statement(
    update(event_positions)
    .where(*_HELD)
    .values(
        position=given("reached", BigInteger()),
        due_at=given("again_at", BigInteger()),
        lease=null(),
        failures=given("new_failures", Integer()),
        reason=given("new_reason"),
    )
)

_log = structlog.get_logger("ipcraft.events")


@dataclass(eq=False, slots=True)
class _Hand:
    """Be at one organization's events after the other, in a thread."""

    lease: _Lease
    thread: threading.Thread = field(init=False)


class Dispatcher:
    """Take events to one sink, with a few hands, as long as its drain is run.

    `lease` are the seconds for which a taken organization is nobody else's; as long as the sink
    is at it, the lease is renewed.
    """

    def __init__(
        self,
        sink: EventSink,
        *,
        storage: Storage,
        clock: Callable[[], float],
        lease: float,
        wake: Callable[[str], object],
    ) -> None:
        self._sink = sink
        self._storage = storage
        self._clock = clock
        self._lease = lease
        self._wake = wake
        self._hands: set[_Hand] = set()
        self._closing = False
        self._renewed = time.monotonic()
        self.drain = Drain(f"events.{sink.name}", self.run, every=_LOOK_EVERY, close=self.close)

    def run(self) -> float:
        """Begin with as many organizations as there are free hands; give the seconds to wait.

        Raises `ipcraft.errors.Unavailable` when the database cannot be used.
        """
        self._renew()
        self.begin()
        return min(_LOOK_EVERY, self._lease / 3)

    def begin(self) -> bool:
        """Begin with as many organizations as there are free hands; tell whether with any."""
        free = HANDS - len(self._hands)
        # The look costs one round trip and no lock; most of the time there is nothing.
        due = {"sink": self._sink.name, "now": self._now()}
        if free <= 0 or self._storage.look_up(_FIRST_DUE, **due) is None:
            return False
        leases = self._take(free)
        for lease in leases:
            self._set_to_work(lease)
        return bool(leases)

    def join(self) -> None:
        """Wait for the hands, but not for ever."""
        deadline = time.monotonic() + GRACE
        for hand in list(self._hands):
            hand.thread.join(max(deadline - time.monotonic(), 0))

    def close(self) -> None:
        """End this process's part: what a sink is still at after a while is offered again."""
        self._closing = True
        self.join()
        if isinstance(self._sink, ClosableSink):
            self._sink.close()

    def _now(self) -> int:
        return int(self._clock() * 1000)

    def _end(self) -> int:
        return int((self._clock() + self._lease) * 1000)

    def _take(self, free: int) -> list[_Lease]:
        times = {"now": self._now(), "end": self._end()}
        who = {"sink": self._sink.name, "token": secrets.token_hex(8)}
        return self._storage.transact_system(lambda tx: tx.all(_TAKE[free], **who, **times))

    def _set_to_work(self, lease: _Lease) -> None:
        hand = _Hand(lease)
        name = f"events-{self._sink.name}"
        hand.thread = threading.Thread(target=self._work, args=(hand,), name=name, daemon=True)
        self._hands.add(hand)
        hand.thread.start()

    def _work(self, hand: _Hand) -> None:
        """Take on one organization after the other, as long as there is one.

        PERF: whoever has just been at it takes the next one without waiting for the drain's turn.
        """
        try:
            self._deliver(hand.lease)
            while not self._closing and (leases := self._take(1)):
                (hand.lease,) = leases
                self._deliver(hand.lease)
        except RequestError as error:
            # The lease ends by itself, and the events are offered again.
            _log.warning("events wait", sink=self._sink.name, reason=error.message)
        finally:
            self._hands.discard(hand)
            self._wake(self.drain.name)

    def _renew(self) -> None:
        if time.monotonic() - self._renewed < self._lease / 3:
            return
        self._renewed = time.monotonic()
        for hand in list(self._hands):
            self._write(_RENEW, hand.lease, end=self._end())

    def _deliver(self, lease: _Lease) -> None:
        batch = self._batch(lease)
        postponed = self._offer(batch) if batch else None
        if postponed is None:
            reached = batch[-1].sequence if batch else lease.newest
            self._write(_TAKEN, lease, reached=reached, now=self._now())
        else:
            self._put_off(lease, batch, postponed)

    def _batch(self, lease: _Lease) -> Sequence[Event]:
        with self._storage.look(lease.organization_id) as reader:
            if isinstance(self._sink, SelectiveSink) and not self._sink.wants(reader):
                return ()
            return events_after(reader, lease.position, limit=AT_ONCE)

    def _offer(self, batch: Sequence[Event]) -> Postponed | None:
        """Let the sink take the events; give what it says when it does not take all."""
        try:
            self._sink.deliver(batch)
        except Postponed as postponed:
            return postponed
        except Exception as error:  # noqa: BLE001 - a sink's failure is its own, and passes
            return Postponed(f"{type(error).__name__}: {error}")
        return None

    def _put_off(self, lease: _Lease, batch: Sequence[Event], postponed: Postponed) -> None:
        taken = batch[: max(postponed.taken, 0)]
        # Who has taken something goes on: only failures in a row make the pause grow.
        failures = 1 if taken else lease.failures + 1
        pause = _pause(postponed, failures)
        reason = postponed.reason[:_LONGEST_REASON]
        _log.warning(
            "a sink does not take events",
            sink=self._sink.name,
            organization_id=lease.organization_id,
            first=batch[0].sequence + len(taken),
            number=len(batch) - len(taken),
            reason=reason,
            pause=round(pause, 1),
        )
        self._write(
            _REFUSED,
            lease,
            reached=taken[-1].sequence if taken else lease.position,
            again_at=int((self._clock() + pause) * 1000),
            new_failures=failures,
            new_reason=reason,
        )

    def _write(
        self, statement: Statement[tuple[object, ...]], lease: _Lease, **values: object
    ) -> None:
        parameters = {"sink": self._sink.name, "token": lease.token, **values}
        self._storage.transact(lease.organization_id, lambda tx: tx.write(statement, **parameters))


def _pause(postponed: Postponed, failures: int) -> float:
    """Give the seconds until the events are offered again: those the sink wishes, within reason."""
    if postponed.seconds is not None:
        return min(max(postponed.seconds, _LEAST_WISH), _LONGEST_WISH)
    return _PAUSES.pause(min(failures, 30)) or 0.0
