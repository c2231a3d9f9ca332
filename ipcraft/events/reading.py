"""Reading an organization's events in the order of their sequence."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import BigInteger, select

from ipcraft.data.statements import Statement, given, own
from ipcraft.data.transactions import Reader
from ipcraft.events.sinks import Event
from ipcraft.events.tables import events


def _event(*columns: Any) -> Event:
    named = dict(zip(_NAMES, columns, strict=True))
    return Event(**{**named, "data": orjson.loads(named["data"])})


_NAMES = (
    "id",
    "organization_id",
    "sequence",
    "type",
    "resource_id",
    "label",
    "details",
    "data",
    "actor",
    "request_id",
    "created_at",
)
_AFTER = Statement(
    select(*(events.c[name] for name in _NAMES))
    .where(events.c.organization_id == own(), events.c.sequence > given("after", BigInteger()))
    .order_by(events.c.sequence)
    .limit(given("limit", BigInteger())),
    _event,
)


def events_after(reader: Reader, sequence: int, *, limit: int) -> list[Event]:
    """Give the organization's events that follow a sequence, the first `limit` of them."""
    return reader.all(_AFTER, after=sequence, limit=limit)
