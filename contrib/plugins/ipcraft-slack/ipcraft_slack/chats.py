"""The sink: each organization's events go to its own chat, as few messages as they fit into."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ipcraft.plugin import Answer, Application, Event, OutboundError, Postponed, Refused, StartError
from ipcraft_slack.messages import in_messages
from ipcraft_slack.patterns import matching_types

_HEADERS = {"Content-Type": "application/json; charset=utf-8"}
_PLAIN = {"mrkdwn": False, "unfurl_links": False, "unfurl_media": False}
_SHOWN = 100


class Chats:
    """Post what changes to incoming webhooks."""

    name = "slack"

    def __init__(self, app: Application, urls: Mapping[str, str], types: frozenset[str]) -> None:
        self._app = app
        self._urls = urls
        self._types = types

    @classmethod
    def of(cls, app: Application) -> Chats:
        """Read the settings. Raises `StartError` for a URL or a pattern that leads nowhere."""
        section: Mapping[str, Any] = app.section("slack")
        for organization_id, url in section["urls"].items():
            try:
                app.outbound.check(url)
            except Refused as error:
                where = f"[plugins.slack] urls: the URL of {organization_id}"
                raise StartError(f"{where} cannot be used: {error.reason}") from error
        return cls(app, section["urls"], matching_types(app, section["event_types"]))

    def deliver(self, events: Sequence[Event]) -> None:
        """Post the events that are wanted; those of an organization without a chat are passed."""
        url = self._urls.get(events[0].organization_id)
        if url is None:
            return
        places = [place for place, event in enumerate(events) if event.type in self._types]
        said = 0
        for text, number in in_messages([events[place].details for place in places]):
            self._post(url, text, taken=places[said])
            said += number

    def _post(self, url: str, text: str, *, taken: int) -> None:
        """Post a message; what was posted before it does not come again when it fails."""
        body = json.dumps({"text": text, **_PLAIN}).encode()
        try:
            answer = self._app.outbound.post(url, headers=_HEADERS, body=body)
        except OutboundError as error:
            raise Postponed(f"the chat is not reached: {error.reason}", taken=taken) from error
        if answer.status not in range(200, 300):
            reason = f"the chat answers {answer.status}: {answer.body[:_SHOWN]!r}"
            raise Postponed(reason, seconds=_wish(answer), taken=taken)


def _wish(answer: Answer) -> float | None:
    """Give the seconds that a chat asks us to wait."""
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() else None
