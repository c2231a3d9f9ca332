"""The activity log over HTTP."""

from __future__ import annotations

from typing import Any

import falcon

from ipcraft.plugin import Application, Page, rfc3339, send_list, with_prefix
from ipcraft_activity.entries import Entry, latest_entries, page_of_entries

DEFAULT_LIMIT = 50
"""Entries of an answer to a request that names no limit."""

MAXIMUM_LIMIT = 200
"""Entries that may be asked for at once."""


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
        total = None
        with self._app.look(identity) as reader:
            if page.asked:
                entries, total = page_of_entries(
                    reader, limit=limit, offset=page.offset, now=now, days=days
                )
            else:
                entries = latest_entries(reader, limit=limit, now=now, days=days)
        send_list(req, resp, rows=[_shown(entry) for entry in entries], page=page, total=total)


def _shown(entry: Entry) -> dict[str, Any]:
    return {
        "id": with_prefix(entry.event_id, "act"),
        "action": entry.action,
        "resource_type": entry.resource_type,
        "resource_id": entry.resource_id,
        "user_id": entry.user_id,
        "details": entry.details,
        "created_at": rfc3339(entry.created_at),
    }
