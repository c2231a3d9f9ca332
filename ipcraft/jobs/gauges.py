"""What is read of jobs: how many orders stand where, and how long the first has waited."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from ipcraft.data.statements import Row, Statement
from ipcraft.jobs.tables import jobs
from ipcraft.metrics.gauges import Figures, Gauge, Values

if TYPE_CHECKING:
    from ipcraft.contributions import Storage

STATES = ("queued", "running", "failed")
"""The states that are shown; what is done is counted as it ends."""

_j = jobs.c
_BY_STATE: Statement[Row] = Statement(
    select(_j.state, func.count())
    .where(or_(*(_j.state == state for state in STATES)))
    .group_by(_j.state)
)
_FIRST_DUE: Statement[Row] = Statement(
    select(_j.due_at).where(_j.due_at.is_not(None)).order_by(_j.due_at).limit(1)
)


def job_gauges(storage: Storage, *, clock: Callable[[], float]) -> list[Gauge]:
    """Give the gauges of jobs."""

    def by_state() -> Values:
        with storage.read_system() as tx:
            found: Figures = {(state,): float(number) for state, number in tx.all(_BY_STATE)}
        return {**{(state,): 0.0 for state in STATES}, **found}

    def wait() -> Values:
        row = storage.look_up(_FIRST_DUE)
        return 0.0 if row is None else max(clock() - row[0] / 1000, 0.0)

    return [
        Gauge(
            name="jobs",
            description="Jobs that were asked for and are not done, by state.",
            labels=("state",),
            read=by_state,
        ),
        Gauge(
            name="jobs_longest_wait_seconds",
            description="For how long the first job that is due has been so.",
            read=wait,
        ),
    ]
