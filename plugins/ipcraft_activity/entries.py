"""Entries of the activity log: the events, as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Subquery,
    and_,
    func,
    select,
    union_all,
)

from ipcraft.plugin import (
    CountedPage,
    Reader,
    Seconds,
    Statement,
    events,
    given,
    number_of_events,
    own,
)

DAY = 86_400
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Hold one event; `created_at` is in seconds since the epoch."""

    event_id: str
    action: str
    resource_id: str
    label: str
    user_id: str | None
    details: str
    created_at: int
    request_id: str | None
    data: Mapping[str, Any]
    replaced: Mapping[str, Any] | None
    """What the change replaced or took away, where that was noted."""

    @property
    def resource_type(self) -> str:
        """Give the kind of resource: ``subnet`` of ``subnet.created``."""
        return self.action.partition(".")[0]

    @property
    def before(self) -> Mapping[str, Any] | None:
        """Give the changed fields as they were; None of what was not there before."""
        if self.replaced is None and self._ends:
            return self.data
        return self.replaced

    @property
    def after(self) -> Mapping[str, Any] | None:
        """Give the changed fields as they are since; None of what is there no more."""
        return None if self._ends else self.data

    @property
    def _ends(self) -> bool:
        return self.action.endswith(".deleted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Say which entries are wanted, by what is not None; times are seconds since the epoch."""

    resource_type: str | None = None
    resource_id: str | None = None
    action: str | None = None
    actor: str | None = None
    since: int | None = None
    """The first second."""
    until: int | None = None
    """The first second no more."""

    def within(self, now: int, days: int | None) -> Filter:
        """Give the same without what is older than so many days."""
        if days is None:
            return self
        return replace(self, since=max(self.since or 0, now - days * DAY))

    @property
    def parameters(self) -> dict[str, Any]:
        """Give the values by their names, those that there are."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def _entry(*columns: Any) -> Entry:
    *others, data, before = columns
    replaced = None if before is None else orjson.loads(before)
    values = (*others, orjson.loads(data), replaced)
    named: dict[str, Any] = dict(zip(Entry.__slots__, values, strict=True))
    return Entry(**named)


_e = events.c
_COLUMNS = (
    _e.id,
    _e.type,
    _e.resource_id,
    _e.label,
    _e.actor,
    _e.details,
    _e.created_at,
    _e.request_id,
    _e.data,
    _e.before,
)
_OWN = _e.organization_id == own()
_LIMIT, _OFFSET = given("limit", BigInteger()), given("offset", BigInteger())
_CONDITIONS: Mapping[str, ColumnElement[bool]] = {
    # "/" follows "." in the order of bytes: from "subnet." on and before "subnet/".
    "resource_type": and_(
        _e.type >= given("resource_type").concat("."), _e.type < given("resource_type").concat("/")
    ),
    "resource_id": _e.resource_id == given("resource_id"),
    "action": _e.type == given("action"),
    "actor": _e.actor == given("actor"),
    "since": _e.created_at >= given("since", Seconds),
    "until": _e.created_at < given("until", Seconds),
}
_BY_KEY = frozenset({"since"})
"""Filters that the primary key serves: identifiers begin with their time."""


def latest_entries(reader: Reader, wanted: Filter, *, limit: int) -> list[Entry]:
    """Give the newest entries of the organization's log, the newest first."""
    parameters = wanted.parameters
    return reader.all(_latest(frozenset(parameters)), limit=limit, offset=0, **parameters)


def page_of_entries(
    reader: Reader, wanted: Filter, *, limit: int, offset: int
) -> tuple[list[Entry], int]:
    """Give a part of the organization's log, and the length of all that is wanted of it."""
    parameters = wanted.parameters
    return _page(frozenset(parameters)).read(reader, limit=limit, offset=offset, **parameters)


@cache
def _latest(names: frozenset[str]) -> Statement[Entry]:
    if names <= _BY_KEY:
        rows = select(*_COLUMNS).where(*_where(names)).order_by(_e.id.desc())
        return Statement(rows.limit(_LIMIT), _entry, one_plan=True)
    found = _found(names)
    newest = (found.c.created_at.desc(), found.c.id.desc())
    return Statement(select(found).order_by(*newest).limit(_LIMIT), _entry)


@cache
def _page(names: frozenset[str]) -> CountedPage[Entry]:
    if names <= _BY_KEY:
        rows = select(*_COLUMNS).where(*_where(names))
        total = number_of_events()
        if names:
            # PERF: the key alone counts all rows; the times of some are in the table itself.
            total = select(func.count()).select_from(events).where(*_where(names)).scalar_subquery()
        return CountedPage(rows, order=[_e.id.desc()], total=total, into=_entry, one_plan=True)
    found = _found(names)
    counted, waiting = (_number(names, is_counted=each).scalar_subquery() for each in (True, False))
    return CountedPage(
        select(found),
        order=[found.c.created_at.desc(), found.c.id.desc()],
        total=select(counted + waiting).scalar_subquery(),
        into=_entry,
    )


def _where(names: frozenset[str]) -> list[ColumnElement[bool]]:
    return [_OWN, *(_CONDITIONS[name] for name in sorted(names))]


def _of_either(names: frozenset[str], *, is_counted: bool) -> list[ColumnElement[bool]]:
    sequence = _e.sequence.is_not(None) if is_counted else _e.sequence.is_(None)
    return [*_where(names), sequence]


def _found(names: frozenset[str]) -> Subquery:
    """Give what a page can be of: the newest that indexes find, and the few not in them yet.

    PERF: the indexes hold events that have a sequence, so that no writing transaction has to
    write them. What has none is a second old.
    """
    newest = (_e.created_at.desc(), _e.id.desc())
    indexed = select(*_COLUMNS).where(*_of_either(names, is_counted=True)).order_by(*newest)
    waiting = select(*_COLUMNS).where(*_of_either(names, is_counted=False))
    return union_all(select(indexed.limit(_LIMIT + _OFFSET).subquery()), waiting).subquery("found")


def _number(names: frozenset[str], *, is_counted: bool) -> Select[int]:
    return select(func.count()).select_from(events).where(*_of_either(names, is_counted=is_counted))
