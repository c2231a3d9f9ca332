"""Event types: what webhooks can be told of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ipcraft.plugin import Application, EventType, Invalid, did_you_mean

PING = "ping"
"""The type of what is sent to try a webhook out."""


@dataclass(frozen=True, slots=True)
class EventTypes:
    """Hold the names of the types that webhooks are told of."""

    told: frozenset[str]

    @classmethod
    def of(cls, app: Application) -> EventTypes:
        """Give those that the plugins declare and that are not internal."""
        declared = app.registry.named("ipcraft_event_types", kind=EventType).values()
        return cls(frozenset(each.name for each in declared if not each.internal))

    def check(self, names: Sequence[str]) -> None:
        """Raise `Invalid` for a name that a webhook cannot subscribe to."""
        known = sorted(self.told | {PING})
        for name in names:
            if name not in known:
                message = f'event_types: there is no event type "{name}"{did_you_mean(name, known)}'
                raise Invalid.field("event_types", message)
