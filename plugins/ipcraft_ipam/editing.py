"""Changing a subnet's fields; two of them move its free space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import select, update

from ipcraft.plugin import AddressBytes, Change, Statement, Transaction, given, own
from ipcraft_ipam import free_space, references
from ipcraft_ipam import subnets as subnet_rows
from ipcraft_ipam.hierarchy import check_gateway, refuse_edges
from ipcraft_ipam.locking import change_tree, keep_tree
from ipcraft_ipam.networks import BITS, Network, Span, format_address, to_bytes
from ipcraft_ipam.searchable import subnet_text
from ipcraft_ipam.subnets import Subnet
from ipcraft_ipam.tables import addresses, subnets

_EDITABLE = ("name", "description", "section_id", "vlan_id", "gateway", "is_pool")
_WRITTEN = (*_EDITABLE, "updated_at", "search_text")
_MOVING = {"gateway", "is_pool"}

_s, _a = subnets.c, addresses.c
_UPDATE = Statement(
    update(subnets)
    .where(_s.organization_id == own(), _s.id == given("id"))
    .values({name: given(f"new_{name}", _s[name].type) for name in _WRITTEN})
)
_ASSIGNED = Statement(
    select(_a.id).where(
        _a.organization_id == own(),
        _a.vrf_id == given("vrf_id"),
        _a.ip == given("ip", AddressBytes),
    )
)


def change(tx: Transaction, subnet_id: str, values: Mapping[str, Any]) -> Subnet:
    """Change the given fields of a subnet.

    `values`: any of `name`, `description`, `section_id`, `vlan_id`, `gateway` (a number),
    `is_pool`. Raises `NotFound`, and `Invalid` for an unknown folder or VLAN, a gateway outside, or
    a pool that has its network or broadcast address assigned and shall be one no longer.
    """
    if _MOVING & values.keys():
        change_tree(tx)
    else:
        keep_tree(tx)
    old = subnet_rows.get_to_change(tx, subnet_id)
    changed = {name: value for name, value in values.items() if getattr(old, name) != value}
    if not changed:
        return old
    new = replace(old, **changed, updated_at=tx.now)
    check_gateway(new.network, changed.get("gateway"))
    references.require(tx, section_id=changed.get("section_id"), vlan_id=changed.get("vlan_id"))
    before = {name: getattr(old, name) for name in changed}
    tx.record(updated(new, changed, before=before))
    if _MOVING & changed.keys():
        _move_free_space(tx, old, new)
    tx.write(_UPDATE, id=subnet_id, **_row(new))
    return new


def _row(new: Subnet) -> dict[str, Any]:
    row = {f"new_{name}": getattr(new, name) for name in (*_EDITABLE, "updated_at")}
    row["new_gateway"] = None if new.gateway is None else to_bytes(new.gateway)
    row["new_search_text"] = subnet_text(name=new.name, description=new.description)
    return row


def updated(new: Subnet, changed: Mapping[str, Any], *, before: Mapping[str, Any]) -> Change:
    """Describe a change of the fields of a subnet."""
    return Change(
        type="subnet.updated",
        resource_id=new.id,
        label=str(new.network),
        details=f"Updated subnet {new.network}",
        data=_as_shown(changed),
        before=_as_shown(before),
    )


def _as_shown(values: Mapping[str, Any]) -> dict[str, Any]:
    shown = dict(values)
    if shown.get("gateway") is not None:
        shown["gateway"] = format_address(shown["gateway"])
    return shown


def _move_free_space(tx: Transaction, old: Subnet, new: Subnet) -> None:
    """Bring the few addresses whose standing changes into the free space, or out of it."""
    network = new.network
    concerned = {network.first, network.last, old.gateway, new.gateway} - {None}
    for ip in sorted(ip for ip in concerned if ip is not None):
        before, after = _is_assignable(old, ip), _is_assignable(new, ip)
        if before == after and _is_usable(old, ip) <= _is_usable(new, ip):
            continue
        host = Network(ip, BITS[network.family])
        home = subnet_rows.container(tx, new.vrf_id, host)
        if home is None or home.id != new.id:
            continue
        assigned = tx.one(_ASSIGNED, vrf_id=new.vrf_id, ip=to_bytes(ip)) is not None
        if assigned:
            refuse_edges(network, Span(ip, ip), is_pool=new.is_pool)
        elif after:
            free_space.give_back(tx, new.id, Span(ip, ip))
        elif before:
            free_space.carve(tx, new.id, Span(ip, ip))


def _is_usable(subnet: Subnet, ip: int) -> bool:
    return ip in subnet.network.usable(is_pool=subnet.is_pool)


def _is_assignable(subnet: Subnet, ip: int) -> bool:
    return _is_usable(subnet, ip) and ip != subnet.gateway
