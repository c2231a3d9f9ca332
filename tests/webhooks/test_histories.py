"""Simulated endpoints: whatever they answer, their attempts follow the retry law."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipcraft.plugin import Application, Transaction
from ipcraft.testing import Clock, make_organization
from ipcraft_webhooks import queue, webhooks
from ipcraft_webhooks.dispatch import Dispatcher
from ipcraft_webhooks.outcomes import Outcome
from ipcraft_webhooks.queue import Endpoint
from ipcraft_webhooks.retries import RetryLaw

from .dispatching import PATIENCE, event

HISTORIES = 100
"""Histories that are simulated side by side, ten times."""

PAUSES = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)


@dataclass(frozen=True, slots=True)
class Answer:
    """Be what an endpoint does at an attempt: a status, or nothing; and what it wishes."""

    status: int | None
    wish: int | None = None


ANSWERS = st.builds(
    Answer,
    st.sampled_from([None, 500, 503, 301, 404]),
    st.sampled_from([None, None, None, 0, 60, 20_000, 10_000_000]),
)
LAST = st.builds(Answer, st.sampled_from([200, 204, 299, 410, 500]))
HISTORY = st.tuples(st.lists(ANSWERS, max_size=11), LAST).map(lambda parts: [*parts[0], parts[1]])


class Endpoints:
    """Be the far ends of all webhooks, each with its history."""

    def __init__(self, clock: Clock, histories: dict[str, Sequence[Answer]]) -> None:
        self._clock = clock
        self._histories = histories
        self.attempts: dict[str, list[float]] = {each: [] for each in histories}

    def send(self, endpoint: Endpoint, *, event_id: str, body: str) -> Outcome:
        """Answer as the history says; the last answer stays."""
        made = self.attempts[endpoint.webhook_id]
        history = self._histories[endpoint.webhook_id]
        answer = history[min(len(made), len(history) - 1)]
        made.append(self._clock.time)
        return Outcome(
            at=int(self._clock.time), duration_ms=1, status=answer.status, wish=answer.wish
        )


def lawful(history: Sequence[Answer], *, began: float, share: float) -> list[float]:
    """Say when the attempts are to be made."""
    times = [began]
    for number in range(1, 11):
        answer = history[min(number - 1, len(history) - 1)]
        taken = answer.status is not None and 200 <= answer.status < 300
        if taken or answer.status == 410 or number == 10:
            break
        pause = PAUSES[number - 1] * (1 + 0.1 * share)
        times.append(times[-1] + max(pause, min(answer.wish or 0, 86_400)))
    return times


def subscribe(tx: Transaction, number: int) -> list[str]:
    """Make webhooks and give their ids."""
    values: dict[str, Any] = {"url": "https://example.com", "description": None, "event_types": []}
    return [
        webhooks.create(
            tx,
            {**values, "is_active": True},
            webhook_id=webhooks.new_webhook_id(),
            sealed=b"nobody signs here",
        ).id
        for _ in range(number)
    ]


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    histories=st.lists(HISTORY, min_size=HISTORIES, max_size=HISTORIES),
    share=st.sampled_from([-1.0, -0.3, 0.0, 0.5, 1.0]),
)
def test_attempts_follow_the_law(
    application: Application, clock: Clock, histories: list[list[Answer]], share: float
) -> None:
    """Each attempt comes when the law says, none is left out and none comes too often."""
    organization = make_organization(application)
    names = application.storage.transact(organization.id, lambda tx: subscribe(tx, HISTORIES))
    far_ends = Endpoints(clock, dict(zip(names, histories, strict=True)))
    dispatcher = Dispatcher(application, far_ends, law=RetryLaw(share=lambda: share), concurrency=8)
    began = clock.time
    application.event_sinks["webhooks"].deliver([event(organization)])
    while due := [each.due_at for each in queue.endpoints(application.storage)]:
        clock.time = max(clock.time, min(due) / 1000)
        dispatcher.run()
        assert dispatcher.join(PATIENCE)
        dispatcher.settle()
    dispatcher.close()
    for name, history in far_ends.attempts.items():
        expected = lawful(histories[names.index(name)], began=began, share=share)
        assert history == pytest.approx(expected, abs=0.05)
