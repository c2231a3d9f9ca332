"""The rows of an organization's inventory, to compare before and after."""

from __future__ import annotations

from sqlalchemy import select

from ipcraft.data.statements import Row, Statement, own
from ipcraft.data.transactions import Transaction
from ipcraft.events.tables import events
from ipcraft_ipam.tables import (
    addresses,
    free_ranges,
    sections,
    subnet_usage,
    subnets,
    vlans,
    vrfs,
)

_ROWS = {
    table.name: Statement(
        select(table).where(table.c.organization_id == own()).order_by(*table.primary_key.columns)
    )
    for table in (sections, vrfs, vlans, subnets, addresses, subnet_usage, free_ranges, events)
}


def inventory_rows(tx: Transaction) -> dict[str, list[Row]]:
    """Give every row of the organization's inventory, and of its events."""
    return {name: tx.all(statement) for name, statement in _ROWS.items()}
