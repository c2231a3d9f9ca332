"""Sequences: each organization's events are counted, one by one, after their commit.

Whoever counts holds the row of the organization's last sequence; who finds it held goes on to the
next organization. So any number of processes may count side by side, and writers never wait.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, ColumnElement, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from ipcraft.data.statements import Statement, given, own
from ipcraft.events.tables import event_positions, event_streams, events

if TYPE_CHECKING:
    from ipcraft.contributions import Storage
    from ipcraft.data.transactions import Transaction

AT_ONCE = 1000
"""Events of one organization that are counted before the next one has its turn."""

LOCK = "events"
"""Held shared by who counts an organization's events, alone by who erases the organization."""

_IDLE = 1.0
_BUSY = 0.1


class Arrival(ColumnElement[int]):
    """Order events by when they were written: what was written after a commit comes after it.

    Identifiers do so only as far as the clocks of several machines agree.
    """

    inherit_cache = True
    type = BigInteger()


@compiles(Arrival, "postgresql")
def _transaction_order(element: Arrival, compiler: SQLCompiler, **options: Any) -> str:
    return "-age(events.xmin)"


@compiles(Arrival, "sqlite")
def _row_order(element: Arrival, compiler: SQLCompiler, **options: Any) -> str:
    return "events.rowid"


_e, _s, _p = events.c, event_streams.c, event_positions.c
_WAITING = (_e.organization_id == own(), _e.sequence.is_(None))
_NEXT = Statement(
    select(_e.organization_id)
    .where(_e.sequence.is_(None), _e.organization_id > given("after"))
    .order_by(_e.organization_id)
    .limit(1),
    str,
)
_ENSURE = Statement(
    insert_or(event_streams)
    .values(organization_id=own(), last=0)
    .on_conflict_do_nothing(index_elements=list(event_streams.primary_key))
)
_TAKE = Statement(
    select(_s.last).where(_s.organization_id == own()).with_for_update(skip_locked=True)
)
_ORDER = (Arrival(), _e.id)
# A subquery and no CTE: Python's sqlite3 counts the rows of a statement that begins with UPDATE.
_counted = (
    select(_e.id, func.row_number().over(order_by=_ORDER).label("place"))
    .where(*_WAITING)
    .order_by(*_ORDER)
    .limit(AT_ONCE)
    .subquery("counted")
)
# PERF: both sides say that they wait, so both read the index of what waits. By the identifier alone
# the planner may read every event there is, to find the thousand it expects.
_COUNT = Statement(
    update(events)
    .where(*_WAITING, _e.id == _counted.c.id)
    .values(sequence=given("last", BigInteger()) + _counted.c.place)
)
_ADVANCE = Statement(
    update(event_streams)
    .where(_s.organization_id == own())
    .values(last=given("new_last", BigInteger()))
)
_ANNOUNCE = Statement(
    update(event_positions)
    .where(_p.organization_id == own())
    .values(
        newest=given("new_last", BigInteger()),
        due_at=func.coalesce(_p.due_at, given("now", BigInteger())),
    )
    .returning(_p.sink),
    str,
)
_INTRODUCE = Statement(insert(event_positions))


class NothingToCount(Exception):
    """Undo a transaction that found its events counted, or the organization erased."""


class Sequencer:
    """Give committed events their sequence, and tell the sinks of them.

    A sink that an organization's events have no position for begins with those that are counted
    now.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        sinks: Sequence[str],
        clock: Callable[[], float],
        tell: Callable[[], object],
    ) -> None:
        self._storage = storage
        self._sinks = sinks
        self._clock = clock
        self._tell = tell

    def run(self) -> float:
        """Count some of the events of every organization that has any; give the seconds to wait.

        Raises `ipcraft.errors.Unavailable` when the database cannot be used.
        """
        pause = _IDLE
        organization = self._next("")
        while organization is not None:
            pause = min(pause, self._count_for(organization))
            organization = self._next(organization)
        return pause

    def _count_for(self, organization: str) -> float:
        try:
            counted = self._storage.transact(organization, self._count)
        except NothingToCount:
            return _IDLE
        if counted is None:
            return _BUSY
        self._tell()
        return 0.0 if counted == AT_ONCE else _IDLE

    def _next(self, after: str) -> str | None:
        return self._storage.look_up(_NEXT, after=after)

    def _count(self, tx: Transaction) -> int | None:
        """Count a transaction's organization's events; None when somebody else is about it."""
        tx.share_lock(LOCK)
        last = self._take(tx)
        if last is None:
            return None
        counted = tx.execute(_COUNT, last=last)
        if not counted:
            raise NothingToCount
        self._advance(tx, last, last + counted)
        return counted

    def _take(self, tx: Transaction) -> int | None:
        last: int | None = tx.value(_TAKE)
        if last is None:
            # There is none yet, or it is held; only then it is worth a write.
            tx.write(_ENSURE)
            last = tx.value(_TAKE)
        return last

    def _advance(self, tx: Transaction, last: int, new_last: int) -> None:
        now = int(self._clock() * 1000)
        tx.write(_ADVANCE, new_last=new_last)
        known = tx.all(_ANNOUNCE, new_last=new_last, now=now)
        for sink in self._sinks:
            if sink not in known:
                tx.write(
                    _INTRODUCE,
                    sink=sink,
                    position=last,
                    newest=new_last,
                    due_at=now,
                    lease=None,
                    failures=0,
                    reason=None,
                )
