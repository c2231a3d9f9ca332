"""Dispatch step by step: what is due is done when the test says so, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

from ipcraft.plugin import Application, Event, new_id
from ipcraft.testing import Organization
from ipcraft_webhooks import queue
from ipcraft_webhooks.dispatch import Dispatcher
from ipcraft_webhooks.retries import RetryLaw
from ipcraft_webhooks.sealing import PURPOSE, Seal
from ipcraft_webhooks.sending import Sender

PATIENCE = 30.0

_sequence = count(1)


def event(
    organization: Organization,
    type: str = "subnet.created",  # noqa: A002 - as the event calls it
    *,
    label: str = "10.0.0.0/24",
    data: Mapping[str, Any] | None = None,
) -> Event:
    """Make an event of an organization."""
    return Event(
        id=new_id("evt"),
        organization_id=organization.id,
        sequence=next(_sequence),
        type=type,
        resource_id=new_id("sub"),
        label=label,
        details=f"Something about {label}",
        data=data or {"name": "Web servers"},
        actor=organization.user_id,
        request_id=None,
        created_at=1_800_000_000,
    )


class Dispatching:
    """Be a process that runs jobs, held still until it is told to go on."""

    def __init__(self, app: Application, *, concurrency: int = 16) -> None:
        self._app = app
        self.dispatcher = Dispatcher(
            app,
            Sender(app, Seal(lambda: app.key_for(PURPOSE))),
            law=RetryLaw(share=lambda: 0.0),
            concurrency=concurrency,
        )

    def tell(self, *events: Event) -> None:
        """Have webhooks told of events."""
        self._app.event_sinks["webhooks"].deliver(events)

    def run(self) -> float:
        """Do all that is due now; give the seconds until more is."""
        while True:
            pause = self.dispatcher.run()
            assert self.dispatcher.join(PATIENCE), "attempts take too long"
            self.dispatcher.settle()
            if not self._is_due():
                return pause

    def tell_and_run(self, *events: Event) -> float:
        """Do both."""
        self.tell(*events)
        return self.run()

    def close(self) -> None:
        """End it."""
        self.dispatcher.close()

    def _is_due(self) -> bool:
        now = int(self._app.clock() * 1000)
        return any(each.due_at <= now for each in queue.endpoints(self._app.storage))
