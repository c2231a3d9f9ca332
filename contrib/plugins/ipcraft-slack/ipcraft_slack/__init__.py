"""Say in a chat what changes."""

from __future__ import annotations

from collections.abc import Sequence

from ipcraft.plugin import Application, EventSink, Schema, hookimpl
from ipcraft_slack.chats import Chats
from ipcraft_slack.schemas import Settings

API = 1


@hookimpl
def ipcraft_config_schema() -> type[Schema]:
    """Let the chats and the event types be set."""
    return Settings


@hookimpl
def ipcraft_event_sinks(app: Application) -> Sequence[EventSink]:
    """Give the sink."""
    return [Chats.of(app)]
