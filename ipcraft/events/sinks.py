"""Sinks: where events go once they are committed, and what is said of an event there.

::

    IPCraftError
    `-- Postponed    a sink did not take all events; says how many, and when the rest
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Protocol, TypedDict, runtime_checkable

from msgspec import Meta

from ipcraft.errors import IPCraftError
from ipcraft.timestamps import Timestamp, rfc3339

if TYPE_CHECKING:
    from ipcraft.data.transactions import Reader


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
        again after a pause that grows, those of others meanwhile. `Postponed` can say that the
        first of them were taken, and how long the pause is to be.

        Several organizations' events may come at the same time, each in a thread of its own. A
        sink that holds something open beyond the call has a method `close` besides, see
        `ClosableSink`; one that few organizations have a use for a method `wants`, see
        `SelectiveSink`.
        """


@runtime_checkable
class ClosableSink(EventSink, Protocol):
    """Be a sink that is told when its process ends."""

    def close(self) -> object:
        """Let go of what is held open: called once, when the last delivery had time to end."""


@runtime_checkable
class SelectiveSink(EventSink, Protocol):
    """Be a sink that most organizations have no use for."""

    def wants(self, reader: Reader) -> bool:
        """Tell whether the sink has any use for events of the reader's organization now.

        Asked before its committed events are read. When the answer is no they are not, and do not
        come later either. One query that finds a row by an index is what it may cost.
        """
        ...


class Postponed(IPCraftError):
    """Put events off: a sink raises it when it did not take all it was offered.

    The first `taken` of the events do not come again. The others come after a pause of `seconds`,
    at least 1 and at most 3600, and without that after a pause which grows as long as nothing is
    taken. The message says why, to a person.

    >>> raise Postponed("the chat answers 429", seconds=30, taken=12)  # doctest: +SKIP
    """

    def __init__(self, reason: str, *, seconds: float | None = None, taken: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.seconds = seconds
        self.taken = taken


class EventObject(TypedDict):
    """A change, as it is listed and as webhooks are sent it."""

    event: Annotated[str, Meta(examples=["subnet.created"])]
    resource_type: Annotated[str, Meta(examples=["subnet"])]
    resource_id: Annotated[str, Meta(examples=["sub_01m8mx9a8eeex9jf5aw3z3shqk"])]
    timestamp: Timestamp
    data: Annotated[
        dict[str, Any],
        Meta(
            description="The `label` of what changed, and the fields that did.",
            examples=[{"label": "10.0.1.0/24", "network": "10.0.1.0/24"}],
        ),
    ]
    id: Annotated[str, Meta(examples=["evt_01m8mx9a8eeex9jf5ax9zz2v6a"])]
    organization_id: Annotated[str, Meta(examples=["org_01m8mx9a8eeex9jf5awcx9jhyf"])]
    actor: Annotated[str, Meta(examples=["usr_01m8mx9a8eeex9jf5aware6z3g"])] | None
    sequence: Annotated[int, Meta(ge=1, description="Rises by one from event to event.")]


def event_body(event: Event) -> EventObject:
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
