"""VLANs: what subnets are bridged over, known by a number and a name.

A number alone may repeat: it counts within a site, and an organization has many. Number and name
together do not, so that a person can tell two of them apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update

from ipcraft.plugin import Invalid, Statement, Transaction, given, own
from ipcraft_ipam.locking import change_tree
from ipcraft_ipam.registers import Kind, Register
from ipcraft_ipam.tables import subnets, vlans

LOWEST, HIGHEST = 1, 4094
"""The numbers that IEEE 802.1Q leaves for VLANs: 0 and 4095 are reserved."""


@dataclass(frozen=True, slots=True)
class Vlan:
    """Be a VLAN as stored; times are seconds since the epoch."""

    id: str
    number: int
    name: str
    description: str | None
    created_at: int
    updated_at: int


VLANS = Register(
    vlans,
    Vlan,
    kind=Kind(
        prefix="vlan",
        event="vlan",
        noun="VLAN",
        label=lambda vlan: f"{vlan.number} {vlan.name}",
        editable=("number", "name", "description"),
        defaults={"description": None},
    ),
)
get = VLANS.get

_LEAVE = Statement(
    update(subnets)
    .where(subnets.c.organization_id == own(), subnets.c.vlan_id == given("id"))
    .values(vlan_id=None)
)


def create(tx: Transaction, values: Mapping[str, Any]) -> Vlan:
    """Create a VLAN of `number`, `name` and the optional `description`.

    Raises `Invalid` when there is one of the number and the name.
    """
    _refuse_taken(tx, number=values["number"], name=values["name"])
    return VLANS.create(tx, values)


def change(tx: Transaction, vlan_id: str, values: Mapping[str, Any]) -> Vlan:
    """Change the given fields of a VLAN. Raises `NotFound`, and `Invalid` as `create` does."""
    old = get(tx, vlan_id)
    number, name = values.get("number", old.number), values.get("name", old.name)
    _refuse_taken(tx, number=number, name=name, but=vlan_id)
    return VLANS.change(tx, vlan_id, values)


def remove(tx: Transaction, vlan_id: str) -> None:
    """Delete a VLAN; its subnets stay, in none. Raises `NotFound`."""
    change_tree(tx)
    vlan = VLANS.get_to_change(tx, vlan_id)
    VLANS.remove(tx, vlan)
    tx.write(_LEAVE, id=vlan_id)


def _refuse_taken(tx: Transaction, *, number: int, name: str, but: str = "") -> None:
    tx.lock("vlans")
    for vlan in VLANS.page(tx, {"number": number, "name": name}, limit=1):
        if vlan.id != but:
            raise Invalid.field(
                "name", f"VLAN {number} {name} exists already: {vlan.id}", code="vlan_taken"
            )
