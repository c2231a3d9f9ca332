"""Moments: a figure that was costly to find is kept, and corrected by what has changed since.

The moment is found in the same statement as the figure, and the changes since then, with the next
moment, in one statement too: whoever writes meanwhile, each change comes once and none is left out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import orjson
from sqlalchemy import BigInteger, Column, ScalarSelect, select, true, union_all

from ipcraft.data.statements import Statement, given, own
from ipcraft.data.tables import ExactText
from ipcraft.data.transactions import Reader, Transaction
from ipcraft.events.changes import Change
from ipcraft.events.sequences import ARRIVAL, HORIZON, Either
from ipcraft.events.tables import event_streams, events

_e, _s = events.c, event_streams.c


@dataclass(frozen=True, slots=True)
class Moment:
    """Be a moment in what happens to an organization, as one statement saw it.

    `last` is the last sequence that was given by then, and `waiting` are the ids of the events that
    had none; `removed` is how many events retention had removed. What arrives before the `horizon`
    had been written by then.
    """

    last: int
    removed: int
    horizon: int
    waiting: frozenset[str]

    @staticmethod
    def of(last: int | None, removed: int | None, horizon: int, waiting: str | None) -> Moment:
        """Make a moment of what was answered for `MOMENT`."""
        return Moment(last or 0, removed or 0, horizon, frozenset((waiting or "").split()))


def _of_stream(column: Column[int]) -> ScalarSelect[int]:
    return select(column).where(_s.organization_id == own()).scalar_subquery()


_LAST, _REMOVED = _of_stream(_s.last), _of_stream(_s.removed)
_waiting = (_e.organization_id == own(), _e.sequence.is_(None))
_IDS = Either(
    ExactText, postgresql="string_agg(events.id, ' ')", sqlite="group_concat(events.id, ' ')"
)
_IDS_WAITING = select(_IDS).select_from(events).where(*_waiting).scalar_subquery()
MOMENT = (_LAST, _REMOVED, HORIZON, _IDS_WAITING)
"""What to ask for beside a figure, for `Moment.of` to make the moment of it."""


_CHANGE = tuple(_e[name] for name in ("type", "resource_id", "label", "details", "data"))
# PERF: too many are not even read; that the range has an end tells the planner that it is small.
_numbered = select(_e.id, _e.sequence, *_CHANGE).where(
    _e.organization_id == own(),
    _e.sequence > given("last", BigInteger()),
    _e.sequence <= given("last", BigInteger()) + given("most", BigInteger()),
    _LAST - given("last", BigInteger()) <= given("most", BigInteger()),
)
_unnumbered = (
    select(_e.id, _e.sequence, *_CHANGE)
    .where(*_waiting, given("horizon", BigInteger()) <= ARRIVAL)
    .limit(given("most_waiting", BigInteger()))
    .subquery("unnumbered")
)
_now = select(_LAST.label("last"), _REMOVED.label("removed"), HORIZON.label("horizon")).subquery()
_since = union_all(_numbered, select(_unnumbered)).subquery()
# PERF: it takes 27 us, and planning it 180.
_SINCE = Statement(select(_now, _since).select_from(_now.outerjoin(_since, true())), one_plan=True)


@dataclass(frozen=True, slots=True)
class Since:
    """Be what has changed since a moment, in any order, and the moment by which it has."""

    changes: list[Change]
    moment: Moment


def changes_since(reader: Reader, moment: Moment, *, most: int) -> Since | None:
    """Give what has changed since a moment.

    None when that is more than `most` changes, when some may have been removed since, and for a
    transaction, whose state may be older than the moment: then the figure has to be found again.
    A figure that is found by a transaction that has itself written must not be kept.
    """
    if isinstance(reader, Transaction):
        return None
    rows = reader.all(
        _SINCE,
        last=moment.last,
        horizon=moment.horizon,
        most=most,
        most_waiting=len(moment.waiting) + most + 1,
    )
    last, removed, horizon = rows[0][:3]
    now = Moment.of(last, removed, horizon, None)
    happened = [row[3:] for row in rows if row[3] is not None]
    new = [row for row in happened if row[0] not in moment.waiting]
    if now.removed != moment.removed or now.last - moment.last > most or len(new) > most:
        return None
    numbered = {event_id for event_id, sequence, *_ in happened if sequence is not None}
    unnumbered = {event_id for event_id, sequence, *_ in happened if sequence is None}
    waiting = unnumbered | (moment.waiting - numbered)
    return Since([_change(*row[2:]) for row in new], replace(now, waiting=frozenset(waiting)))


def _change(kind: str, resource_id: str, label: str, details: str, data: str) -> Change:
    return Change(
        type=kind, resource_id=resource_id, label=label, details=details, data=orjson.loads(data)
    )
