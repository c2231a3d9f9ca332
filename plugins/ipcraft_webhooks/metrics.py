"""What is told of deliveries in ``/metrics``: attempts as they are made, and what waits."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from ipcraft.plugin import Application, Gauge, Metrics, Row, Statement
from ipcraft_webhooks.outcomes import Outcome
from ipcraft_webhooks.tables import deliveries, webhooks

MOST_COUNTED = 100_000
"""Attempts that wait and are counted; more are shown as so many."""

_d, _w = deliveries.c, webhooks.c
_waiting = (
    select(_d.due_at)
    .where(_d.due_at.is_not(None))
    .order_by(_d.webhook_id, _d.due_at)
    .limit(MOST_COUNTED)
    .subquery()
)
_WAITING: Statement[Row] = Statement(select(func.count()).select_from(_waiting))
_FIRST_DUE: Statement[Row] = Statement(select(func.min(_waiting.c.due_at)))
_DISABLED: Statement[Row] = Statement(
    select(func.count()).select_from(webhooks).where(_w.disabled_reason.is_not(None))
)


class AttemptMetrics:
    """Count and measure the attempts that this process makes."""

    def __init__(self, metrics: Metrics) -> None:
        self._attempts = metrics.counter(
            "webhook_attempts",
            "Attempts to deliver, by what came of them: taken, refused or unreachable.",
            labels=("outcome",),
        )
        self._seconds = metrics.histogram(
            "webhook_attempt_duration_seconds", "How long attempts to deliver took."
        )

    def note(self, outcome: Outcome) -> None:
        """Note an attempt."""
        self._attempts.add(outcome.word)
        self._seconds.observe(outcome.duration_ms / 1000)


def gauges(app: Application) -> Sequence[Gauge]:
    """Give what is read: attempts that wait, and webhooks that were switched off."""

    def number(statement: Statement[Row]) -> float:
        row = app.storage.look_up(statement)
        return float(row[0] or 0) if row else 0.0

    def lateness() -> float:
        first_due = number(_FIRST_DUE)
        return max(app.clock() - first_due / 1000, 0.0) if first_due else 0.0

    return [
        Gauge(
            name="webhook_attempts_waiting",
            description="Attempts to deliver that are due, under way or to come.",
            read=lambda: number(_WAITING),
        ),
        Gauge(
            name="webhook_longest_wait_seconds",
            description="For how long the first attempt that is due has been so.",
            read=lateness,
        ),
        Gauge(
            name="webhooks_disabled",
            description="Webhooks that were switched off because they do not work.",
            read=lambda: number(_DISABLED),
        ),
    ]
