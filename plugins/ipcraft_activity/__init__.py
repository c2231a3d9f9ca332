"""Activity: what happened in an organization, newest first, and its events in their order."""

from __future__ import annotations

from collections.abc import Sequence

from ipcraft.plugin import Application, Job, Route, hookimpl
from ipcraft_activity.resources import Activity, Events
from ipcraft_activity.retention import TIDY, TIDY_EVERY, tidy

API = 1


@hookimpl
def ipcraft_routes(app: Application) -> Sequence[Route]:
    """Serve the activity log and the events."""
    return [
        Route("/api/v1/activity", Activity(app)),
        Route("/api/v1/events", Events(app), deferred=True),
    ]


@hookimpl
def ipcraft_jobs(app: Application) -> Sequence[Job]:
    """Give the job that deletes old events."""
    return [Job(name=TIDY, run=lambda payload: tidy(app), every=TIDY_EVERY)]
