"""What is read of events: how many wait, and for how long, at the outbox and at each sink."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, case, func, select

from ipcraft.data.statements import Row, Statement
from ipcraft.events.tables import event_positions, events
from ipcraft.metrics.gauges import Figures, Gauge, Values

if TYPE_CHECKING:
    from ipcraft.contributions import Storage

MOST_COUNTED = 100_000
"""Events without a sequence that are counted; more are shown as so many."""

MOST_BEHIND = 1000
"""Organizations that are looked at for each sink's figures."""

_e, _p = events.c, event_positions.c
_waiting = (
    select(_e.created_at)
    .where(_e.sequence.is_(None))
    .order_by(_e.organization_id)
    .limit(MOST_COUNTED)
    .subquery()
)
_DEPTH: Statement[Row] = Statement(select(func.count()).select_from(_waiting))
_OLDEST: Statement[Row] = Statement(select(func.min(_waiting.c.created_at)))
_next_event = (
    select(_e.created_at)
    .where(_e.organization_id == _p.organization_id, _e.sequence > _p.position)
    .order_by(_e.sequence)
    .limit(1)
    .scalar_subquery()
)
_behind = (
    select(
        _p.sink,
        (_p.newest - _p.position).label("waiting"),
        case((_p.failures > 0, 1), else_=0).label("is_failing"),
        _next_event.label("since"),
    )
    .where(_p.due_at.is_not(None))
    .order_by(_p.sink, _p.due_at)
    .limit(MOST_BEHIND)
    .subquery()
)


def _by_sink(figure: ColumnElement[Any]) -> Statement[Row]:
    return Statement(select(_behind.c.sink, figure).group_by(_behind.c.sink))


_WAITING = _by_sink(func.sum(_behind.c.waiting))
_SINCE = _by_sink(func.min(_behind.c.since))
_FAILING = _by_sink(func.sum(_behind.c.is_failing))


def event_gauges(
    storage: Storage, *, sinks: Sequence[str], clock: Callable[[], float]
) -> list[Gauge]:
    """Give the gauges of the outbox and of each sink."""

    def age(since: int | None) -> float:
        return 0.0 if since is None else max(clock() - since, 0.0)

    def of_sinks(statement: Statement[Row], figure: Callable[[Any], float] = float) -> Values:
        with storage.read_system() as tx:
            found: Figures = {(sink,): figure(value) for sink, value in tx.all(statement)}
        return {**{(sink,): 0.0 for sink in sinks}, **found}

    return [
        Gauge(
            name="events_waiting",
            description="Events that have no sequence yet: the depth of the outbox.",
            read=lambda: float((storage.look_up(_DEPTH) or (0,))[0]),
        ),
        Gauge(
            name="events_oldest_waiting_seconds",
            description="The age of the oldest event that has no sequence yet.",
            read=lambda: age((storage.look_up(_OLDEST) or (None,))[0]),
        ),
        Gauge(
            name="sink_events_waiting",
            description="Events that a sink has not taken yet.",
            labels=("sink",),
            read=lambda: of_sinks(_WAITING),
        ),
        Gauge(
            name="sink_oldest_event_seconds",
            description="The age of the oldest event that a sink has not taken yet.",
            labels=("sink",),
            read=lambda: of_sinks(_SINCE, age),
        ),
        Gauge(
            name="sink_organizations_failing",
            description="Organizations whose events a sink did not take the last time.",
            labels=("sink",),
            read=lambda: of_sinks(_FAILING),
        ),
    ]
