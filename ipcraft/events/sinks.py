"""Sinks: where events go once they are committed, and what is said of an event there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ipcraft.timestamps import rfc3339


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Be one committed change, in its place among those of its organization.

    `id` never changes, however often the event is delivered; `sequence` rises by one from event
    to event of an organization. `label`, `details` and `data` are the change's own, `actor` is the
    user it is ascribed to, `created_at` is in seconds since the epoch.
    """

    id: str
    organization_id: str
    sequence: int
    type: str
    resource_id: str
    label: str
    details: str
    data: Mapping[str, Any]
    actor: str | None
    request_id: str | None
    created_at: int

    @property
    def resource_type(self) -> str:
        """Give the kind of resource: ``subnet`` of ``subnet.created``."""
        return self.type.partition(".")[0]


class EventSink(Protocol):
    """Take events to where somebody waits for them."""

    @property
    def name(self) -> str:
        """Give the sink's name, unique among all plugins; its place in the events is kept by it."""
        ...

    def deliver(self, events: Sequence[Event]) -> None:
        """Take events of one organization, in the order of their sequence.

        Called in a background process, outside any transaction. An event comes at least once, and
        again with all that came with it when the call did not return: know it by its `id`.
        Whatever is raised means that nothing of it was taken; the organization's events are offered
        again after a pause that grows, those of others meanwhile.
        """


def event_body(event: Event) -> dict[str, Any]:
    """Give an event as the API and its webhooks show it.

    Source: the API reference's webhook payload; `id`, `organization_id`, `actor` and `sequence`
    stand beside what it documents.
    """
    return {
        "event": event.type,
        "resource_type": event.resource_type,
        "resource_id": event.resource_id,
        "timestamp": rfc3339(event.created_at),
        "data": {"label": event.label, **event.data},
        "id": event.id,
        "organization_id": event.organization_id,
        "actor": event.actor,
        "sequence": event.sequence,
    }
