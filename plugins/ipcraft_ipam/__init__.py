"""The inventory: folders, VRFs, VLANs, subnets, addresses, and taking the next free ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from ipcraft.plugin import Application, Command, EventType, Migrations, Route, hookimpl
from ipcraft_ipam import hookspecs, strategies
from ipcraft_ipam.addresses import STATUSES, Address, check_assignable
from ipcraft_ipam.batches import (
    ItemRefused,
    address_page,
    assign_addresses,
    change_addresses,
    find_addresses,
    find_homes,
    find_subnets,
    for_item,
    inventory_size,
    subnet_page,
)
from ipcraft_ipam.commands import COMMANDS
from ipcraft_ipam.commands.names import named_organization, organization_option
from ipcraft_ipam.directory import DIRECTORY, Keeping, Registered
from ipcraft_ipam.editing import change as change_subnet
from ipcraft_ipam.fields import LONGEST_LABEL, LONGEST_TEXT, parse_mac_address
from ipcraft_ipam.hierarchy import check_gateway, refuse_edges
from ipcraft_ipam.hierarchy import create as create_subnet
from ipcraft_ipam.networks import (
    BITS,
    Network,
    Span,
    enclosing,
    format_address,
    format_bytes,
    from_bytes,
    parse_address,
    parse_network,
    to_bytes,
)
from ipcraft_ipam.proposals import (
    propose_address,
    propose_address_change,
    propose_subnet,
    propose_subnet_change,
)
from ipcraft_ipam.resources import routes
from ipcraft_ipam.route_distinguishers import parse_route_distinguisher
from ipcraft_ipam.strategies import AllocationStrategy, FreeSpace
from ipcraft_ipam.subnets import Subnet
from ipcraft_ipam.tables import GLOBAL_VRF, metadata

__all__ = [
    "BITS",
    "DIRECTORY",
    "GLOBAL_VRF",
    "LONGEST_LABEL",
    "LONGEST_TEXT",
    "STATUSES",
    "Address",
    "AllocationStrategy",
    "FreeSpace",
    "ItemRefused",
    "Keeping",
    "Network",
    "Registered",
    "Span",
    "Subnet",
    "address_page",
    "assign_addresses",
    "change_addresses",
    "change_subnet",
    "check_assignable",
    "check_gateway",
    "create_subnet",
    "enclosing",
    "find_addresses",
    "find_homes",
    "find_subnets",
    "for_item",
    "format_address",
    "format_bytes",
    "from_bytes",
    "inventory_size",
    "metadata",
    "named_organization",
    "organization_option",
    "parse_address",
    "parse_mac_address",
    "parse_network",
    "parse_route_distinguisher",
    "propose_address",
    "propose_address_change",
    "propose_subnet",
    "propose_subnet_change",
    "refuse_edges",
    "subnet_page",
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
    """Give `next`, `search`, `tree` and `verify`."""
    return COMMANDS


@hookimpl
def ipcraft_allocation_strategies(app: Application) -> Sequence[AllocationStrategy]:
    """Give the strategies `first`, `last` and `random`."""
    return strategies.BUILT_IN
