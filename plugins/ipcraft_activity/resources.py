"""The activity log and the events over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypedDict

import falcon
from msgspec import Meta

from ipcraft.plugin import (
    Application,
    EventObject,
    Page,
    Paging,
    Timestamp,
    event_body,
    events_after,
    operation,
    rfc3339,
    send_list,
    with_prefix,
)
from ipcraft_activity.entries import Entry, Filter, latest_entries, page_of_entries
from ipcraft_activity.schemas import ActivityQuery, EventsQuery

DEFAULT_LIMIT = 50
"""Entries of an answer to a request that names no limit."""

MAXIMUM_LIMIT = 200
"""Entries that may be asked for at once."""

Fields = Annotated[Mapping[str, Any], Meta(examples=[{"name": "Web servers"}])]


class EntryObject(TypedDict):
    """An entry of the activity log."""

    id: Annotated[str, Meta(examples=["act_01m8mx9a8eeex9jf5ax4524mt1"])]
    action: Annotated[str, Meta(examples=["subnet.created"])]
    resource_type: Annotated[str, Meta(examples=["subnet"])]
    resource_id: Annotated[str, Meta(examples=["sub_01m8mx9a8eeex9jf5aw3z3shqk"])]
    user_id: Annotated[str, Meta(examples=["usr_01m8mx9a8eeex9jf5aware6z3g"])] | None
    details: Annotated[str, Meta(examples=["Created subnet 10.0.1.0/24"])]
    created_at: Timestamp
    label: Annotated[str, Meta(examples=["10.0.1.0/24"])]
    before: Annotated[Fields | None, Meta(description="The changed fields as they were.")]
    after: Annotated[Fields | None, Meta(description="The changed fields as they are since.")]
    request_id: Annotated[str, Meta(examples=["2f1c9c0c4a3c4b0e8f6f0d1f5f3a9b7d"])] | None


class Activity:
    """Answer ``/api/v1/activity``."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(
        query=ActivityQuery(),
        page=Paging(default=DEFAULT_LIMIT, maximum=MAXIMUM_LIMIT),
        answers={200: list[EntryObject]},
    )
    def on_get(
        self, req: falcon.Request, resp: falcon.Response, *, query: dict[str, Any], page: Page
    ) -> None:
        """List what happened, the newest first, as far back as the plan says."""
        identity = req.context.identity
        limit = page.limit or DEFAULT_LIMIT
        now, days = int(self._app.clock()), self._app.plan(identity).activity_days
        wanted = _filter(query).within(now, days)
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

    @operation(query=EventsQuery(), answers={200: list[EventObject]})
    def on_get(self, req: falcon.Request, resp: falcon.Response, *, query: dict[str, Any]) -> None:
        """List the events that follow a sequence, in their order."""
        with self._app.look(req.context.identity) as reader:
            found = events_after(reader, query["after"], limit=query["limit"])
        send_list(req, resp, rows=[event_body(event) for event in found], page=Page())


def _filter(query: dict[str, Any]) -> Filter:
    user_id = query.pop("user_id", None)
    return Filter(**{**query, "actor": query.get("actor") or user_id})


def _shown(entry: Entry) -> EntryObject:
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
