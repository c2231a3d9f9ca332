"""Dispatch: from an event to attempts, from attempts to requests, from answers back to the log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

import orjson
import structlog

from ipcraft.plugin import Application, Drain, Event, Reader, RequestError, event_body
from ipcraft_webhooks import queue
from ipcraft_webhooks.event_types import EventTypes
from ipcraft_webhooks.lanes import Lanes
from ipcraft_webhooks.metrics import AttemptMetrics
from ipcraft_webhooks.notices import order_notices
from ipcraft_webhooks.outcomes import Outcome
from ipcraft_webhooks.queue import Attempt, Endpoint, Made, Notice
from ipcraft_webhooks.retries import RetryLaw
from ipcraft_webhooks.sending import DEADLINE

LEAST_LEASE = 2 * DEADLINE
"""Seconds after which an attempt that was taken and not settled is due again, at the least."""

_MARGIN = 1.5 * DEADLINE
"""Seconds that have to be left of a lease when an attempt begins: to make it, and to settle it."""
_EVERY = 1.0
_PATIENCE = 2.0

T = TypeVar("T")

_log = structlog.get_logger("ipcraft_webhooks")


class Sending(Protocol):
    """Send an event's body to an endpoint."""

    def send(self, endpoint: Endpoint, *, event_id: str, body: str) -> Outcome:
        """Send it; whatever happens is an outcome."""
        ...


class Subscriptions:
    """Be the sink that has webhooks told of events."""

    name = queue.DRAIN

    def __init__(self, app: Application, *, types: EventTypes) -> None:
        self._app = app
        self._types = types

    def wants(self, reader: Reader) -> bool:
        """Tell whether the organization has a webhook that is switched on."""
        return queue.has_subscribers(reader)

    def deliver(self, events: Sequence[Event]) -> None:
        """Put in an attempt for each event and each webhook that wants to know of it."""
        notices = [notice_of(each) for each in events if each.type in self._types.told]
        if not notices:
            return
        organization_id = events[0].organization_id
        now = milliseconds(self._app)
        queue.put(self._app.storage, organization_id, notices, now_ms=now)


class Dispatcher:
    """Make the attempts that are due, with as many processes as there are, side by side."""

    def __init__(
        self, app: Application, sender: Sending, *, law: RetryLaw, concurrency: int
    ) -> None:
        self._app = app
        self._sender = sender
        self._law = law
        self._lanes = Lanes(self._make, threads=concurrency, made=lambda: app.wake(queue.DRAIN))
        self._lease = max(app.settings.lease, LEAST_LEASE)
        self._unsettled: list[tuple[Endpoint, Made]] = []
        self._measures = AttemptMetrics(app.metrics)

    def drain(self) -> Drain:
        """Give the work to the core."""
        return Drain(queue.DRAIN, run=self.run, every=_EVERY, close=self.close)

    def run(self) -> float:
        """Settle what was made, take what is due; give the seconds until more is due."""
        self.settle()
        endpoints = queue.endpoints(self._app.storage)
        self._lanes.refresh(endpoints)
        now = milliseconds(self._app)
        wanted = self._lanes.wanted([each for each in endpoints if each.due_at <= now])
        if wanted:
            self._take(wanted, now_ms=now)
        later = [each.due_at - now for each in endpoints if each.due_at > now]
        return min(later, default=_EVERY * 1000) / 1000

    def settle(self) -> None:
        """Write down what became of the attempts made so far.

        What cannot be written is kept for the next time, and holds up no other organization's.
        """
        made_by = _by_organization([*self._unsettled, *self._lanes.finished()])
        self._unsettled = []
        for organization_id, made in made_by.items():
            try:
                self._settle(organization_id, [each for _, each in made])
            except Exception as error:  # noqa: BLE001 - one organization's failure is its own
                self._unsettled += made
                _log.warning(
                    "deliveries are written into the log later",
                    organization_id=organization_id,
                    reason=f"{type(error).__name__}: {error}",
                )

    def join(self, patience: float) -> bool:
        """Wait until what was taken is made; tell whether it is."""
        return self._lanes.join(patience)

    def close(self) -> None:
        """End this process's part: what was not begun is due for others, what was is settled."""
        left = self._lanes.close(patience=_PATIENCE)
        try:
            self.settle()
            for organization_id, taken in _by_organization(left).items():
                attempts = [attempt for _, attempt in taken]
                now = milliseconds(self._app)
                queue.release(self._app.storage, organization_id, attempts, now_ms=now)
        except RequestError as error:
            # Their leases end by themselves, and others make them again.
            _log.warning("deliveries are left to others", reason=error.message)

    def _take(self, wanted: Sequence[tuple[Endpoint, int]], *, now_ms: int) -> None:
        leased_until = now_ms + round(self._lease * 1000)
        taken = queue.take(self._app.storage, wanted, now_ms=now_ms, leased_until=leased_until)
        for (endpoint, _), attempts in zip(wanted, taken, strict=True):
            self._lanes.add(endpoint, attempts)

    def _make(self, endpoint: Endpoint, attempt: Attempt) -> Outcome | None:
        if milliseconds(self._app) > attempt.leased_until - _MARGIN * 1000:
            return None  # it waited here for too long, and is due again
        outcome = self._sender.send(endpoint, event_id=attempt.event_id, body=attempt.body)
        self._measures.note(outcome)
        return outcome

    def _settle(self, organization_id: str, made: Sequence[Made]) -> None:
        queue.settle(
            self._app.storage,
            organization_id,
            made,
            law=self._law,
            now_ms=milliseconds(self._app),
            switched_off=lambda tx, webhook_id: order_notices(self._app, tx, webhook_id),
        )


def _by_organization(items: Sequence[tuple[Endpoint, T]]) -> dict[str, list[tuple[Endpoint, T]]]:
    found: dict[str, list[tuple[Endpoint, T]]] = {}
    for endpoint, item in items:
        found.setdefault(endpoint.organization_id, []).append((endpoint, item))
    return found


def notice_of(event: Event) -> Notice:
    """Give an event as webhooks are told of it."""
    return Notice(event.id, event.type, orjson.dumps(event_body(event)).decode())


def milliseconds(app: Application) -> int:
    """Give the time in milliseconds since the epoch."""
    return int(app.clock() * 1000)
