"""Webhooks: events told to whoever subscribed to them, signed, until they are taken."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ipcraft.plugin import (
    Application,
    Drain,
    EventSink,
    EventType,
    Gauge,
    Job,
    Migrations,
    Route,
    Schema,
    hookimpl,
)
from ipcraft_webhooks.metrics import gauges
from ipcraft_webhooks.schemas import WebhookSettings
from ipcraft_webhooks.services import drains, event_sinks, jobs, routes
from ipcraft_webhooks.tables import metadata

API = 1


@hookimpl
def ipcraft_config_schema() -> type[Schema]:
    """Give the settings of delivery."""
    return WebhookSettings


@hookimpl
def ipcraft_migrations() -> Migrations:
    """Give the tables of webhooks and of their deliveries."""
    return Migrations(metadata, Path(__file__).parent / "migrations")


@hookimpl
def ipcraft_event_types() -> Sequence[EventType]:
    """Declare what happens to webhooks."""
    return [
        EventType("webhook.created", "A webhook was created.", internal=True),
        EventType(
            "webhook.updated",
            "A webhook was changed, got a new secret, or was disabled because it does not work.",
            internal=True,
        ),
        EventType("webhook.deleted", "A webhook was deleted.", internal=True),
    ]


@hookimpl
def ipcraft_event_sinks(app: Application) -> Sequence[EventSink]:
    """Take events to the webhooks that want to be told."""
    return event_sinks(app)


@hookimpl
def ipcraft_drains(app: Application) -> Sequence[Drain]:
    """Make the deliveries that are due."""
    return drains(app)


@hookimpl
def ipcraft_gauges(app: Application) -> Sequence[Gauge]:
    """Tell what waits to be delivered."""
    return gauges(app)


@hookimpl
def ipcraft_jobs(app: Application) -> Sequence[Job]:
    """Tell admins of webhooks that were disabled; forget old deliveries."""
    return jobs(app)


@hookimpl
def ipcraft_routes(app: Application) -> Sequence[Route]:
    """Serve the management of webhooks."""
    return routes(app)
