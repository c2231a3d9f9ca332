"""VRFs: address spaces of their own, in each of which any network may be once.

What has no VRF is in the global one, which has no record: `GLOBAL_VRF` stands for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from ipcraft.plugin import Invalid, NotFound, Reader, Statement, Transaction, given, is_id, own
from ipcraft_ipam.locking import change_tree
from ipcraft_ipam.networks import Network, from_bytes
from ipcraft_ipam.registers import Kind, Register
from ipcraft_ipam.tables import GLOBAL_VRF, subnets, vrfs

_ALL = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Vrf:
    """Be a VRF as stored; times are seconds since the epoch."""

    id: str
    name: str
    rd: str | None
    """Its route distinguisher, as `route_distinguishers` writes it."""
    description: str | None
    created_at: int
    updated_at: int


VRFS = Register(
    vrfs,
    Vrf,
    kind=Kind(
        prefix="vrf",
        event="vrf",
        noun="VRF",
        label=lambda vrf: vrf.name,
        editable=("name", "rd", "description"),
        defaults={"rd": None, "description": None},
    ),
)
get = VRFS.get

_s = subnets.c
_FIRST_SUBNET = Statement(
    select(_s.first, _s.prefix_length)
    .where(_s.organization_id == own(), _s.vrf_id == given("id"))
    .order_by(_s.first, _s.prefix_length)
    .limit(1),
    lambda first, prefix_length: Network(from_bytes(first), prefix_length),
)


def create(tx: Transaction, values: Mapping[str, Any]) -> Vrf:
    """Create a VRF of `name` and the optional `rd` and `description`.

    Raises `Invalid` when another one has the name or the route distinguisher.
    """
    _refuse_taken(tx, values)
    return VRFS.create(tx, values)


def change(tx: Transaction, vrf_id: str, values: Mapping[str, Any]) -> Vrf:
    """Change the given fields of a VRF. Raises `NotFound`, and `Invalid` as `create` does."""
    get(tx, vrf_id)
    _refuse_taken(tx, values, but=vrf_id)
    return VRFS.change(tx, vrf_id, values)


def remove(tx: Transaction, vrf_id: str) -> None:
    """Delete a VRF. Raises `NotFound`, and `Invalid` while subnets are in it."""
    change_tree(tx)
    vrf = VRFS.get_to_change(tx, vrf_id)
    network = tx.one(_FIRST_SUBNET, id=vrf_id)
    if network is not None:
        raise Invalid(
            f"VRF {vrf.name} is in use: delete its subnets first, such as {network}",
            code="vrf_in_use",
        )
    VRFS.remove(tx, vrf)


def find(tx: Reader, text: str) -> Vrf | None:
    """Find a VRF by its id, its name or its route distinguisher. Raises `NotFound` for an id."""
    if is_id(text, "vrf"):
        return get(tx, text)
    for column in ("name", "rd"):
        for vrf in VRFS.page(tx, {column: text}, limit=1):
            return vrf
    return None


def named(tx: Reader, text: str) -> str:
    """Give the id of a VRF found so; no text means the global one. Raises `NotFound`."""
    if text == GLOBAL_VRF:
        return GLOBAL_VRF
    found = find(tx, text)
    if found is None:
        raise NotFound(f"there is no VRF {text}")
    return found.id


def names(tx: Reader) -> dict[str, str]:
    """Give the name of each VRF by its id."""
    return {vrf.id: vrf.name for vrf in VRFS.page(tx, {}, limit=_ALL)}


def _refuse_taken(tx: Transaction, values: Mapping[str, Any], *, but: str = "") -> None:
    tx.lock("vrfs")
    for field in ("name", "rd"):
        value = values.get(field)
        found = [] if value is None else VRFS.page(tx, {field: value}, limit=1)
        for vrf in found:
            if vrf.id != but:
                raise _taken(field, vrf)


def _taken(field: str, vrf: Vrf) -> Invalid:
    if field == "name":
        message = f"the name {vrf.name} is already that of {vrf.id}"
        return Invalid.field(field, message, code="vrf_name_taken")
    message = f"the route distinguisher {vrf.rd} is already that of {vrf.id}"
    return Invalid.field(field, message, code="vrf_rd_taken")
