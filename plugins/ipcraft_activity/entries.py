"""Entries of the activity log: the events, as people read them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, func, select

from ipcraft.plugin import Seconds, Statement, Transaction, events, given, own

_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Entry:
    """Hold one event; `created_at` is in seconds since the epoch."""

    event_id: str
    action: str
    resource_id: str
    user_id: str | None
    details: str
    created_at: int

    @property
    def resource_type(self) -> str:
        """Give the kind of resource: ``subnet`` of ``subnet.created``."""
        return self.action.partition(".")[0]


_OWN = events.c.organization_id == own()
_RECENT = events.c.created_at >= given("since", Seconds)
# PERF: an identifier begins with its time, so the primary key, read backwards, is the order.
_LATEST = Statement(
    select(
        events.c.id,
        events.c.type,
        events.c.resource_id,
        events.c.actor,
        events.c.details,
        events.c.created_at,
    )
    .where(_OWN, _RECENT)
    .order_by(events.c.id.desc())
    .limit(given("limit", BigInteger()))
    .offset(given("offset", BigInteger())),
    Entry,
)
# PERF: the key alone counts all rows; the times of some are in the table itself.
_COUNT = Statement(select(func.count()).select_from(events).where(_OWN))
_COUNT_RECENT = Statement(select(func.count()).select_from(events).where(_OWN, _RECENT))


def latest_entries(
    tx: Transaction, *, limit: int, offset: int, days: int | None = None
) -> list[Entry]:
    """Give a part of the organization's log of the last `days`, the newest first."""
    return tx.all(_LATEST, limit=limit, offset=offset, since=_since(tx, days))


def count_entries(tx: Transaction, *, days: int | None = None) -> int:
    """Count the entries of the organization's log of the last `days`."""
    if days is None:
        return int(tx.value(_COUNT))
    return int(tx.value(_COUNT_RECENT, since=_since(tx, days)))


def _since(tx: Transaction, days: int | None) -> int:
    return 0 if days is None else tx.now - days * _DAY
