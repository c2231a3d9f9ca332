"""The activity log and the events over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import falcon

from ipcraft.plugin import (
    Application,
    Invalid,
    Page,
    event_body,
    events_after,
    query_integer,
    rfc3339,
    send_list,
    with_prefix,
)
from ipcraft_activity.entries import Entry, Filter, latest_entries, page_of_entries

DEFAULT_LIMIT = 50
"""Entries of an answer to a request that names no limit."""

MAXIMUM_LIMIT = 200
"""Entries that may be asked for at once."""

DEFAULT_EVENTS = 100
"""Events of an answer to a request that names no limit."""

MAXIMUM_EVENTS = 1000
"""Events that may be asked for at once."""

_LARGEST = 2**63 - 1
_TEXTS = ("resource_type", "resource_id", "action")


class Activity:
    """Answer ``/api/v1/activity``."""

    def __init__(self, app: Application) -> None:
        self._app = app

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """List what happened, the newest first, as far back as the plan says."""
        identity = req.context.identity
        page = Page.of(req, default=DEFAULT_LIMIT, maximum=MAXIMUM_LIMIT)
        limit = page.limit or DEFAULT_LIMIT
        now, days = int(self._app.clock()), self._app.plan(identity).activity_days
        wanted = _filter(req).within(now, days)
        total = None
        with self._app.look(identity) as reader:
            if page.asked:
                entries, total = page_of_entries(reader, wanted, limit=limit, offset=page.offset)
            else:
                entries = latest_entries(reader, wanted, limit=limit)
        send_list(req, resp, rows=[_shown(entry) for entry in entries], page=page, total=total)


class Events:
    """Answer ``/api/v1/events``."""

    def __init__(self, app: Application) -> None:
        self._app = app

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """List the events that follow a sequence, in their order."""
        after = query_integer(req, "after", least=0, most=_LARGEST) or 0
        limit = query_integer(req, "limit", least=1, most=MAXIMUM_EVENTS) or DEFAULT_EVENTS
        with self._app.look(req.context.identity) as reader:
            found = events_after(reader, after, limit=limit)
        send_list(req, resp, rows=[event_body(event) for event in found], page=Page())


def _filter(req: falcon.Request) -> Filter:
    texts = {name: _text(req, name) for name in _TEXTS}
    return Filter(
        **texts,
        actor=_text(req, "actor") or _text(req, "user_id"),
        since=_time(req, "since"),
        until=_time(req, "until"),
    )


def _text(req: falcon.Request, name: str) -> str | None:
    value = req.params.get(name)
    if value is None or isinstance(value, str):
        return value
    raise Invalid.field(name, f"{name} must be given once")


def _time(req: falcon.Request, name: str) -> int | None:
    text = _text(req, name)
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise Invalid.field(name, f"{name} must be a time such as 2026-03-01T12:00:00Z")
    return int(time.timestamp())


def _shown(entry: Entry) -> dict[str, Any]:
    return {
        "id": with_prefix(entry.event_id, "act"),
        "action": entry.action,
        "resource_type": entry.resource_type,
        "resource_id": entry.resource_id,
        "user_id": entry.user_id,
        "details": entry.details,
        "created_at": rfc3339(entry.created_at),
        "label": entry.label,
        "before": entry.before,
        "after": entry.after,
        "request_id": entry.request_id,
    }
