"""Sequences: each organization's events are counted, one by one, after their commit.

Whoever counts holds the row of the organization's last sequence; who finds it held goes on to the
next organization. So any number of processes may count side by side, and writers never wait.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, ColumnElement, func, insert, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import NullType, TypeEngine

from ipcraft.data.statements import Statement, given, own
from ipcraft.data.tables import ExactText
from ipcraft.events.sinks import SelectiveSink
from ipcraft.events.tables import event_positions, event_streams, events

if TYPE_CHECKING:
    from ipcraft.contributions import Storage
    from ipcraft.data.transactions import Transaction
    from ipcraft.events.sinks import EventSink

AT_ONCE = 1000
"""Events of one organization that are counted before the next one has its turn."""

LOCK = "events"
"""Held shared by who counts an organization's events, alone by who erases the organization."""

REST = 0.4
"""Seconds from one count of an organization's events to the next, where no sink wants them.

PERF: a count of few events costs as much as some ten writes: with a rest a server that does nothing
but write does 2 to 6 % more.
"""

_IDLE = 1.0
_BUSY = 0.1
_LOOK_EVERY = 0.5
_MOST_REMEMBERED = 10_000


class Either(ColumnElement[Any]):
    """Be an expression that the two databases write differently."""

    inherit_cache = False

    def __init__(self, kind: TypeEngine[Any], *, postgresql: str, sqlite: str) -> None:
        self.type = kind
        self.postgresql = postgresql
        self.sqlite = sqlite


@compiles(Either, "postgresql")
def _of_postgresql(element: Either, compiler: SQLCompiler, **options: Any) -> str:
    return element.postgresql


@compiles(Either, "sqlite")
def _of_sqlite(element: Either, compiler: SQLCompiler, **options: Any) -> str:
    return element.sqlite


ARRIVAL = Either(BigInteger(), postgresql="events.arrival", sqlite="events.rowid")
"""When an event was written: what was written after a commit has arrived after it.

Identifiers say so only as far as the clocks of several machines agree.
"""

HORIZON = Either(
    BigInteger(), postgresql="pg_snapshot_xmin(pg_current_snapshot())::text::bigint", sqlite="0"
)
"""An arrival; all that will ever arrive before it can be seen."""

PLACE = Either(NullType(), postgresql="events.ctid", sqlite="events.rowid")
"""Where the row of an event is, as long as a transaction lasts."""

ROW_BY_ROW = Either(
    ExactText,
    postgresql="set_config('enable_hashjoin', 'off', true) "
    "|| set_config('enable_mergejoin', 'off', true)",
    sqlite="''",
)
"""Has the rows of a join looked up one by one from here to the end of the transaction.

PERF: for a thousand rows the planner would read all the events that an organization of thirty
thousand has; nearly always there are but a few to be counted.
"""


@dataclass(frozen=True, slots=True)
class Turn:
    """Be what was counted of an organization, and the arrival from where on the rest is."""

    counted: int
    horizon: int
    is_wanted: bool
    """Whether any sink has a use for it."""


def _taken(last: int, horizon: int, _: str) -> tuple[int, int]:
    return last, horizon


_e, _s, _p = events.c, event_streams.c, event_positions.c
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
    select(_s.last, HORIZON, ROW_BY_ROW)
    .where(_s.organization_id == own())
    .with_for_update(skip_locked=True),
    _taken,
)
_ORDER = (ARRIVAL, _e.id)
# A subquery and no CTE: Python's sqlite3 counts the rows of a statement that begins with UPDATE.
_counted = (
    select(PLACE.label("place"), func.row_number().over(order_by=_ORDER).label("number"))
    .where(
        _e.organization_id == own(),
        _e.sequence.is_(None),
        given("since", BigInteger()) <= ARRIVAL,
    )
    .order_by(*_ORDER)
    .limit(literal_column(str(AT_ONCE)))
    .subquery("counted")
)
# PERF: the index of what waits gives the first ones in their order, and the rows are found by their
# places: nothing that waits behind them is read, be it millions.
_COUNT = Statement(
    update(events)
    .where(_e.organization_id == own(), _counted.c.place == PLACE)
    .values(sequence=given("last", BigInteger()) + _counted.c.number)
)
_ARRIVED = Statement(
    select(ARRIVAL).where(
        _e.organization_id == own(), _e.sequence == given("sequence", BigInteger())
    )
)
_ADVANCE = Statement(
    update(event_streams)
    .where(_s.organization_id == own())
    .values(last=given("new_last", BigInteger()))
)
_POSITIONS = Statement(select(_p.sink).where(_p.organization_id == own()), str)
_ANNOUNCE = Statement(
    update(event_positions)
    .where(_p.organization_id == own(), _p.newest < given("new_last", BigInteger()))
    .values(
        newest=given("new_last", BigInteger()),
        due_at=func.coalesce(_p.due_at, given("now", BigInteger())),
    )
)
_INTRODUCE = Statement(insert(event_positions))
_PASS = Statement(
    update(event_positions)
    .where(
        _p.organization_id == own(),
        _p.sink == given("sink"),
        _p.due_at.is_(None),
        _p.position == _p.newest,
    )
    .values(position=given("new_last", BigInteger()), newest=given("new_last", BigInteger()))
)
"""Leave out what a sink does not want, if it has had all before."""


class NothingToCount(Exception):
    """Undo a transaction that found its events counted, or the organization erased."""


class Sequencer:
    """Give committed events their sequence, and tell the sinks of them.

    A sink that an organization's events have no position for begins with those that are counted
    now. Organizations whose events were committed in this process are `fresh`: they are counted
    without a look, at most once in `rest` seconds where no sink waits for them.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        sinks: Sequence[EventSink],
        clock: Callable[[], float],
        tell: Callable[[], object],
        fresh: set[str] | None = None,
        rest: float = 0.0,
    ) -> None:
        self._storage = storage
        self._rest = rest
        self._fresh = set[str]() if fresh is None else fresh
        self._sinks = sinks
        self._clock = clock
        self._tell = tell
        self._horizons: dict[str, int] = {}
        self._unfinished: set[str] = set()
        self._rests: dict[str, float] = {}
        """Until when each organization that has had its turn rests."""
        self._look_at = 0.0

    def run(self) -> float:
        """Count some of the events of every organization that has any; give the seconds to wait.

        Raises `ipcraft.errors.Unavailable` when the database cannot be used.
        """
        known = self._unfinished | self._take_fresh()
        pauses = [self._turn(organization) for organization in sorted(known)]
        if not known or time.monotonic() >= self._look_at:
            pauses += self._look(without=known)
        return min(pauses, default=_IDLE)

    def _look(self, *, without: set[str]) -> Iterator[float]:
        """Count for everybody who has events, but for those who had their turn.

        PERF: the look goes through all that was counted since a vacuum, to the first that waits.
        """
        self._look_at = time.monotonic() + _LOOK_EVERY
        organization = self._next("")
        while organization is not None:
            if organization not in without:
                yield self._turn(organization)
            organization = self._next(organization)

    def _take_fresh(self) -> set[str]:
        taken: set[str] = set()
        while self._fresh:
            taken.add(self._fresh.pop())
        return taken

    def _turn(self, organization: str) -> float:
        """Count for an organization unless it rests; give the seconds to wait."""
        left = self._rests.get(organization, 0.0) - time.monotonic()
        if left <= 0:
            return self._count_for(organization)
        self._fresh.add(organization)
        return left

    def _count_for(self, organization: str) -> float:
        self._unfinished.discard(organization)
        try:
            turn = self._storage.transact(organization, self._count)
        except NothingToCount:
            return _IDLE
        if turn is None:
            self._fresh.add(organization)
            return _BUSY
        self._remember(organization, turn.horizon)  # only now: a commit can fail
        if turn.is_wanted:
            self._tell()
        if turn.counted == AT_ONCE:
            self._unfinished.add(organization)
            return 0.0
        if not turn.is_wanted:
            self._begin_rest(organization)
        return _IDLE

    def _remember(self, organization: str, horizon: int) -> None:
        if len(self._horizons) >= _MOST_REMEMBERED:
            self._horizons.clear()
        self._horizons[organization] = horizon

    def _begin_rest(self, organization: str) -> None:
        if len(self._rests) >= _MOST_REMEMBERED:
            self._rests.clear()
        self._rests[organization] = time.monotonic() + self._rest

    def _next(self, after: str) -> str | None:
        return self._storage.look_up(_NEXT, after=after)

    def _count(self, tx: Transaction) -> Turn | None:
        """Count a transaction's organization's events; None when somebody else is about it."""
        tx.share_lock(LOCK)
        taken = self._take(tx)
        if taken is None:
            return None
        last, horizon = taken
        positions: list[str] = []
        tx.ask_all(_POSITIONS, positions.extend)
        counted = self._count_after(tx, last)
        if not counted:
            raise NothingToCount
        if counted == AT_ONCE:  # there may be more, which has arrived since
            horizon = min(horizon, tx.value(_ARRIVED, sequence=last + counted))
        wanted = self._advance(tx, last, last + counted, positions)
        return Turn(counted, horizon, wanted)

    def _take(self, tx: Transaction) -> tuple[int, int] | None:
        taken = tx.one(_TAKE)
        if taken is None:
            # There is none yet, or it is held; only then it is worth a write.
            tx.write(_ENSURE)
            taken = tx.one(_TAKE)
        return taken

    def _count_after(self, tx: Transaction, last: int) -> int:
        """Count what has come since the last time, and everything when that is nothing.

        PERF: an index keeps what is counted until the table is vacuumed. Without the horizon each
        look would go through all of that.
        """
        since = self._horizons.get(tx.organization_id or "", 0)
        counted = tx.execute(_COUNT, last=last, since=since)
        return counted if counted or not since else tx.execute(_COUNT, last=last, since=0)

    def _advance(
        self, tx: Transaction, last: int, new_last: int, positions: Collection[str]
    ) -> bool:
        """Say how far it is counted; tell whether any sink wants to have what is new."""
        now = int(self._clock() * 1000)
        tx.write(_ADVANCE, new_last=new_last)
        is_wanted = False
        for sink in self._sinks:
            wants = self._wants(sink, tx.organization_id or "")
            is_wanted = is_wanted or wants
            if sink.name not in positions:
                tx.write(
                    _INTRODUCE,
                    sink=sink.name,
                    position=last if wants else new_last,
                    newest=new_last,
                    due_at=now if wants else None,
                    lease=None,
                    failures=0,
                    reason=None,
                )
            elif not wants:
                tx.write(_PASS, sink=sink.name, new_last=new_last)
        tx.write(_ANNOUNCE, new_last=new_last, now=now)
        return is_wanted

    def _wants(self, sink: EventSink, organization: str) -> bool:
        """Tell whether a sink has a use for what is counted, as its delivery would find it.

        PERF: most organizations have no webhook. To find that out as a delivery takes eight trips.
        """
        if not isinstance(sink, SelectiveSink):
            return True
        # In a transaction of its own: a failure of one sink's must not keep all from being counted.
        # What it sees is no older than what was counted: who asks for events from some moment on
        # gets those that were written after that.
        try:
            with self._storage.look(organization) as reader:
                return sink.wants(reader)
        except Exception:  # noqa: BLE001 - a sink's failure is its own, and told at its delivery
            return True
