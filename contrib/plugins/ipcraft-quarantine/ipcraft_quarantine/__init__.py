"""Let a released address rest before it is assigned again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from ipcraft.plugin import (
    Application,
    Change,
    EventType,
    Migrations,
    Route,
    Schema,
    Transaction,
    hookimpl,
)
from ipcraft_ipam import AllocationStrategy
from ipcraft_quarantine import changes
from ipcraft_quarantine.resources import EntriesResource, EntryResource
from ipcraft_quarantine.schemas import Settings
from ipcraft_quarantine.strategies import rested
from ipcraft_quarantine.tables import metadata

API = 1


@hookimpl
def ipcraft_config_schema() -> type[Schema]:
    """Let `hours` be set."""
    return Settings


@hookimpl
def ipcraft_migrations() -> Migrations:
    """Give the table of quarantined addresses."""
    return Migrations(metadata, Path(__file__).parent / "migrations")


@hookimpl
def ipcraft_event_types() -> Sequence[EventType]:
    """Declare what people do to the quarantine; what time does is no change."""
    return [EventType("quarantine.cleared", "An address was let out of quarantine early.")]


@hookimpl
def ipcraft_routes(app: Application) -> Sequence[Route]:
    """Serve the quarantine."""
    return [
        Route("/api/v1/quarantine", EntriesResource(app)),
        Route("/api/v1/quarantine/{entry_id}", EntryResource(app)),
    ]


@hookimpl
def ipcraft_allocation_strategies() -> Sequence[AllocationStrategy]:
    """Give the strategy `rested`."""
    return [AllocationStrategy("rested", rested)]


@hookimpl
def ipcraft_before_change(change: Change, tx: Transaction) -> None:
    """Refuse to assign an address that is in quarantine."""
    if change.type == "address.created":
        changes.refuse_resting(tx, change)


@hookimpl
def ipcraft_after_change(change: Change, tx: Transaction, app: Application) -> None:
    """Put a released address into quarantine."""
    if change.type == "address.deleted":
        changes.let_rest(tx, change, hours=cast(int, app.section("quarantine")["hours"]))
