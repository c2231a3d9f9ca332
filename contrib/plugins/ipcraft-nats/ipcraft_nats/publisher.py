"""The sink: each event becomes a message of the stream."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from ipcraft.plugin import Event, event_body
from ipcraft_nats.broker import Broker, Message
from ipcraft_nats.configuration import Configuration


class Publisher:
    """Publish events, in their order, each when the one before it is kept by the stream."""

    name = "nats"

    def __init__(self, configuration: Configuration) -> None:
        self._subject = configuration.subject
        self._broker = Broker(configuration)

    def deliver(self, events: Sequence[Event]) -> None:
        """Publish the events. Raises `NotPublished` unless the stream keeps all of them."""
        self._broker.publish([self._message(event) for event in events])

    def close(self) -> None:
        """Close the connection."""
        self._broker.close()

    def _message(self, event: Event) -> Message:
        subject = f"{self._subject}.{event.organization_id}.{event.type}"
        return Message(event.id, subject, orjson.dumps(event_body(event)))
