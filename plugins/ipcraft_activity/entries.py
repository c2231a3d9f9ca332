"""Entries of the activity log: the events, as people read them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, func, select

from ipcraft.plugin import CountedPage, Statement, Transaction, events, given, own


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
_ENTRIES = select(
    events.c.id,
    events.c.type,
    events.c.resource_id,
    events.c.actor,
    events.c.details,
    events.c.created_at,
).where(_OWN)
# PERF: an identifier begins with its time, so the primary key, read backwards, is the order.
_LATEST = Statement(
    _ENTRIES.order_by(events.c.id.desc()).limit(given("limit", BigInteger())), Entry
)
_PAGE = CountedPage(
    _ENTRIES,
    order=[events.c.id.desc()],
    total=select(func.count()).select_from(events).where(_OWN).scalar_subquery(),
    into=Entry,
)


def latest_entries(tx: Transaction, *, limit: int) -> list[Entry]:
    """Give the newest entries of the organization's log, the newest first."""
    return tx.all(_LATEST, limit=limit)


def page_of_entries(tx: Transaction, *, limit: int, offset: int) -> tuple[list[Entry], int]:
    """Give a part of the organization's log, the newest first, and the length of all of it."""
    return _PAGE.read(tx, limit=limit, offset=offset)
