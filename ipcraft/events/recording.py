"""Writing changes down: hooks around them, and one event row for each.

The row is written in the change's own transaction, and has no sequence yet: writers would have to
wait for each other to count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import orjson
from sqlalchemy import insert

from ipcraft.context import request_id
from ipcraft.data.statements import Statement, given
from ipcraft.events.tables import events
from ipcraft.ids import new_id

if TYPE_CHECKING:
    from ipcraft.data.transactions import Transaction
    from ipcraft.events.changes import Change

_GIVEN = [column for column in events.c if column.name != "arrival"]
INSERT_EVENT = Statement(
    insert(events).values({each.name: given(each.name, each.type) for each in _GIVEN}),
    independent=True,
)

EVENTS = "events"
"""The drain that gives events their sequence."""

_MANY = 16


class ChangeHooks(Protocol):
    """Call the plugins' hooks around a change."""

    def before_change(self, change: Change, tx: Transaction) -> None:
        """Let each plugin look at the change, or veto it by raising."""

    def after_change(self, change: Change, tx: Transaction) -> None:
        """Let each plugin add what must be true together with the change."""


class Recorder:
    """Record the changes of every transaction of one process.

    `wake` has a drain run soon; `fresh` is told the organizations that have new events.
    """

    __slots__ = ("_clock", "_fresh", "_hooks", "_types", "_wake")

    def __init__(
        self,
        hooks: ChangeHooks,
        *,
        event_types: frozenset[str],
        clock: Callable[[], float],
        wake: Callable[[str], object] = lambda drain: None,
        fresh: set[str] | None = None,
    ) -> None:
        self._hooks = hooks
        self._types = event_types
        self._clock = clock
        self._wake = wake
        self._fresh = set[str]() if fresh is None else fresh

    def now(self) -> int:
        """Give the time in whole seconds since the epoch."""
        return int(self._clock())

    def before(self, change: Change, tx: Transaction) -> None:
        """Check that the change is of a declared type and let plugins veto it."""
        if change.type not in self._types:
            raise LookupError(f"no plugin declares the event type {change.type!r}")
        self._hooks.before_change(change, tx)

    def after(self, changes: Sequence[Change], tx: Transaction) -> None:
        """Write the event rows and call the plugins' hooks."""
        rows = [self._row(change, tx) for change in changes]
        if len(rows) < _MANY:
            for row in rows:
                tx.write(INSERT_EVENT, **row)
        else:
            tx.write_many(INSERT_EVENT, rows)
        tx.wake(EVENTS)
        for change in changes:
            self._hooks.after_change(change, tx)

    def committed(self, organization_id: str | None, drains: Iterable[str]) -> None:
        """Wake who has to do with what a transaction has committed."""
        for drain in drains:
            if drain == EVENTS and organization_id is not None:
                self._fresh.add(organization_id)
            self._wake(drain)

    def _row(self, change: Change, tx: Transaction) -> dict[str, Any]:
        return {
            "id": new_id("evt"),
            "type": change.type,
            "resource_id": change.resource_id,
            "actor": tx.actor,
            "label": change.label,
            "details": change.details,
            "data": orjson.dumps(change.data).decode(),
            "before": None if change.before is None else orjson.dumps(change.before).decode(),
            "request_id": request_id(),
            "created_at": tx.now,
            "sequence": None,
        }
