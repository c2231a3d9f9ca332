"""Retention: events are kept as long as their organization's plan says."""

from __future__ import annotations

import structlog

from ipcraft.plugin import (
    Application,
    RequestError,
    Transaction,
    delete_events,
    organizations_with_events,
)
from ipcraft_activity.entries import DAY

TIDY = "activity.tidy"
"""The job that deletes what nobody can look at any more."""

TIDY_EVERY = 3600

_log = structlog.get_logger("ipcraft_activity")


def tidy(app: Application) -> None:
    """Delete the events of every organization that are older than its plan says.

    In batches, each in a transaction of its own; none that a sink has not had.
    """
    for organization_id in organizations_with_events(app.storage):
        try:
            while app.storage.transact(organization_id, lambda tx: _tidy(app, tx)):
                pass
        except (RequestError, LookupError) as error:
            # One that is being deleted has no plan any more; the others are not its matter.
            _log.warning("events are kept", organization_id=organization_id, reason=str(error))


def _tidy(app: Application, tx: Transaction) -> bool:
    days = app.plan_of(tx).activity_days
    if days is None:
        return False
    return delete_events(tx, before=tx.now - days * DAY, sinks=list(app.event_sinks))
