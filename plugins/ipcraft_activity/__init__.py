"""Activity: what happened in an organization, newest first."""

from __future__ import annotations

from collections.abc import Sequence

from ipcraft.plugin import Application, Route, hookimpl
from ipcraft_activity.resources import Activity

API = 1


@hookimpl
def ipcraft_routes(app: Application) -> Sequence[Route]:
    """Serve the activity log."""
    return [Route("/api/v1/activity", Activity(app))]
