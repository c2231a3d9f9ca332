"""Entries of the activity log: the events, as people read them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, ColumnElement, func, select

from ipcraft.plugin import CountedPage, Reader, Seconds, Statement, events, given, own

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
_ENTRIES = select(
    events.c.id,
    events.c.type,
    events.c.resource_id,
    events.c.actor,
    events.c.details,
    events.c.created_at,
).where(_OWN, _RECENT)
# PERF: an identifier begins with its time, so the primary key, read backwards, is the order.
_LATEST = Statement(
    _ENTRIES.order_by(events.c.id.desc()).limit(given("limit", BigInteger())), Entry
)


def _page(*counted: ColumnElement[bool]) -> CountedPage[Entry]:
    total = select(func.count()).select_from(events).where(*counted).scalar_subquery()
    return CountedPage(_ENTRIES, order=[events.c.id.desc()], total=total, into=Entry)


# PERF: the key alone counts all rows; the times of some are in the table itself.
_PAGE_OF_ALL = _page(_OWN)
_PAGE_OF_RECENT = _page(_OWN, _RECENT)


def latest_entries(reader: Reader, *, limit: int, now: int, days: int | None) -> list[Entry]:
    """Give the newest entries of the organization's log of the last `days`, the newest first."""
    return reader.all(_LATEST, limit=limit, since=_since(now, days))


def page_of_entries(
    reader: Reader, *, limit: int, offset: int, now: int, days: int | None
) -> tuple[list[Entry], int]:
    """Give a part of the organization's log of the last `days`, and the length of all of it."""
    page = _PAGE_OF_ALL if days is None else _PAGE_OF_RECENT
    return page.read(reader, limit=limit, offset=offset, since=_since(now, days))


def _since(now: int, days: int | None) -> int:
    return 0 if days is None else now - days * _DAY
