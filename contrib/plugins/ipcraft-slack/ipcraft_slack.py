"""Slack: tell a chat what changes, over its incoming webhook.

Mattermost, Rocket.Chat and others take the same messages.
Source: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import fields, validate

from ipcraft.plugin import (
    Application,
    Event,
    EventSink,
    OutboundError,
    Schema,
    Unavailable,
    hookimpl,
)

API = 1

LONGEST_LINE = 300
"""Characters of a change's sentence that are told; a call has a hundred at most."""

_HEADERS = {"Content-Type": "application/json"}


class SlackSettings(Schema):
    """Read ``[plugins.slack]``."""

    url = fields.String(
        load_default=None,
        validate=validate.Regexp(r"https?://", error="Not an http:// or https:// URL."),
        metadata={
            "secret": True,
            "description": "The chat's incoming webhook. Without it nothing is told.",
        },
    )
    event_types = fields.List(
        fields.String(),
        load_default=tuple,
        metadata={"description": "The types of events to tell; all where none is named."},
    )
    organizations = fields.List(
        fields.String(validate=validate.Regexp(r"org_\w{26}$", error="Not an organization's id.")),
        load_default=tuple,
        metadata={"description": "The organizations to tell of; all where none is named."},
    )


class Chat:
    """Be the sink: one message for each call."""

    name = "slack"

    def __init__(self, app: Application, section: Mapping[str, Any]) -> None:
        self._app = app
        self._url = str(section["url"])
        self._types = frozenset(section["event_types"])
        self._organizations = frozenset(section["organizations"])

    def deliver(self, events: Sequence[Event]) -> None:
        """Tell the events that somebody wants to hear of. Raises `Unavailable`."""
        lines = [line(event) for event in events if self._is_wanted(event)]
        if lines:
            self._post({"text": "\n".join(lines)})

    def _is_wanted(self, event: Event) -> bool:
        return (not self._types or event.type in self._types) and (
            not self._organizations or event.organization_id in self._organizations
        )

    def _post(self, message: Mapping[str, str]) -> None:
        body = json.dumps(message).encode()
        try:
            answer = self._app.outbound.post(self._url, headers=_HEADERS, body=body)
        except OutboundError as error:
            raise Unavailable(f"the chat cannot be told: {error.reason}") from error
        if not 200 <= answer.status < 300:
            said = answer.body[:100].decode("utf-8", "replace")
            raise Unavailable(f"the chat answers {answer.status}: {said}")


def line(event: Event) -> str:
    """Give a change as a line of a message."""
    text = " ".join(event.details.split())[:LONGEST_LINE]
    return f"*{escaped(event.type)}* {escaped(text)}"


def escaped(text: str) -> str:
    """Give a text that the chat shows as it is.

    Source: https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@hookimpl
def ipcraft_config_schema() -> type[Schema]:
    """Give the settings."""
    return SlackSettings


@hookimpl
def ipcraft_event_sinks(app: Application) -> Sequence[EventSink]:
    """Tell the chat, if its URL is set."""
    section = app.section("slack")
    return [] if section["url"] is None else [Chat(app, section)]
