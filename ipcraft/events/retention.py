"""Retention: events are kept as long as somebody says, and until every sink has had them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, delete, select, update

from ipcraft.data.statements import Statement, given, own
from ipcraft.data.transactions import Transaction
from ipcraft.events.tables import event_positions, event_streams, events

if TYPE_CHECKING:
    from ipcraft.contributions import Storage

AT_ONCE = 1000
"""Events that are looked at in one transaction."""

_e, _p = events.c, event_positions.c
_oldest = (
    select(_e.id, _e.created_at)
    .where(
        _e.organization_id == own(),
        _e.sequence.is_not(None),
        _e.sequence <= given("had", BigInteger()),
    )
    .order_by(_e.sequence)
    .limit(AT_ONCE)
    .subquery("oldest")
)
_DELETE = Statement(
    delete(events).where(
        _e.organization_id == own(),
        _e.id.in_(select(_oldest.c.id).where(_oldest.c.created_at < given("before", BigInteger()))),
    )
)
_POSITIONS = Statement(select(_p.sink, _p.position).where(_p.organization_id == own()))
_LAST = Statement(select(event_streams.c.last).where(event_streams.c.organization_id == own()))
_NOTE_REMOVED = Statement(
    update(event_streams)
    .where(event_streams.c.organization_id == own())
    .values(removed=event_streams.c.removed + given("removed_now", BigInteger()))
)
_ORGANIZATIONS = Statement(select(event_streams.c.organization_id), str)


def organizations_with_events(storage: Storage) -> list[str]:
    """Give the ids of all organizations that something has happened in."""
    with storage.read_system() as tx:
        return tx.all(_ORGANIZATIONS)


def delete_events(tx: Transaction, *, before: int, sinks: Sequence[str]) -> bool:
    """Delete the oldest of the organization's events that are of a time before, a batch of them.

    None that one of the sinks has not had is deleted. Tells whether there may be more.
    """
    last = tx.value(_LAST)
    if last is None:
        return False
    positions: dict[str, int] = dict(tx.all(_POSITIONS))
    had = min((positions[sink] for sink in sinks if sink in positions), default=last)
    removed = tx.execute(_DELETE, before=before, had=had)
    if removed:
        tx.write(_NOTE_REMOVED, removed_now=removed)
    return removed == AT_ONCE
