"""The inventory: folders, VRFs, VLANs, subnets, addresses, and taking the next free ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from ipcraft.plugin import Application, Command, EventType, Migrations, Route, hookimpl
from ipcraft_ipam import hookspecs, strategies
from ipcraft_ipam.commands import COMMANDS
from ipcraft_ipam.networks import (
    Network,
    Span,
    format_address,
    from_bytes,
    parse_address,
    to_bytes,
)
from ipcraft_ipam.resources import routes
from ipcraft_ipam.strategies import AllocationStrategy, FreeSpace
from ipcraft_ipam.tables import metadata

__all__ = [
    "AllocationStrategy",
    "FreeSpace",
    "Network",
    "Span",
    "format_address",
    "from_bytes",
    "metadata",
    "parse_address",
    "to_bytes",
]

API = 1

_NOUNS = {
    "folder": "A folder",
    "vrf": "A VRF",
    "vlan": "A VLAN",
    "subnet": "A subnet",
    "address": "An address",
}


@hookimpl
def ipcraft_hookspecs() -> ModuleType:
    """Offer `ipcraft_allocation_strategies`."""
    return hookspecs


@hookimpl
def ipcraft_migrations() -> Migrations:
    """Give the tables of the inventory."""
    return Migrations(metadata, Path(__file__).parent / "migrations")


@hookimpl
def ipcraft_event_types() -> Sequence[EventType]:
    """Declare what happens to folders, VRFs, VLANs, subnets and addresses."""
    return [
        EventType(f"{resource}.{verb}", f"{noun} was {verb}.")
        for resource, noun in _NOUNS.items()
        for verb in ("created", "updated", "deleted")
    ]


@hookimpl
def ipcraft_routes(app: Application) -> Sequence[Route]:
    """Serve the inventory."""
    return routes(app)


@hookimpl
def ipcraft_commands() -> Sequence[Command]:
    """Give `load`, `next`, `search`, `tree` and `verify`."""
    return COMMANDS


@hookimpl
def ipcraft_allocation_strategies(app: Application) -> Sequence[AllocationStrategy]:
    """Give the strategies `first`, `last` and `random`."""
    return strategies.BUILT_IN
