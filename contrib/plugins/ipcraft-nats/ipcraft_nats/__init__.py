"""Publish what changes to NATS JetStream."""

from __future__ import annotations

from collections.abc import Sequence

from ipcraft.plugin import Application, EventSink, Schema, hookimpl
from ipcraft_nats.configuration import Configuration
from ipcraft_nats.publisher import Publisher
from ipcraft_nats.schemas import Settings

API = 1


@hookimpl
def ipcraft_config_schema() -> type[Schema]:
    """Let the servers, the credentials and the stream be set."""
    return Settings


@hookimpl
def ipcraft_event_sinks(app: Application) -> Sequence[EventSink]:
    """Give the sink."""
    return [Publisher(Configuration.of(app))]
