"""Deleting a subnet with everything in it, in one transaction."""

from __future__ import annotations

from sqlalchemy import BigInteger, cast, delete, func, select

from ipcraft.plugin import AddressBytes, Change, Statement, Transaction, given, own
from ipcraft_ipam import free_space, usage
from ipcraft_ipam import subnets as subnet_rows
from ipcraft_ipam.locking import change_tree, changed_networks
from ipcraft_ipam.networks import Network, from_bytes, to_bytes
from ipcraft_ipam.subnets import Subnet
from ipcraft_ipam.tables import addresses, subnet_usage, subnets

_a, _s, _u = addresses.c, subnets.c, subnet_usage.c
_first, _last = given("first", AddressBytes), given("last", AddressBytes)
_within = (
    _s.organization_id == own(),
    _s.vrf_id == given("vrf_id"),
    _s.first >= _first,
    _s.first <= _last,
    _s.last <= _last,
)
_own_addresses = (
    select(cast(func.coalesce(func.sum(_u.used), 0), BigInteger))
    .where(
        _u.organization_id == own(),
        _u.vrf_id == _s.vrf_id,
        _u.first == _s.first,
        _u.last == _s.last,
    )
    .scalar_subquery()
)
_GOING = Statement(
    select(_s.id, _s.first, _s.prefix_length, _own_addresses)
    .where(*_within)
    .order_by(_s.first, _s.prefix_length),
    lambda id, first, prefix_length, used: (  # noqa: A006 - the column's name
        id,
        Network(from_bytes(first), prefix_length),
        used,
    ),
)
_DELETE_SUBNETS = Statement(delete(subnets).where(*_within))
_DELETE_ADDRESSES = Statement(
    delete(addresses).where(
        _a.organization_id == own(),
        _a.vrf_id == given("vrf_id"),
        _a.ip >= _first,
        _a.ip <= _last,
    )
)


def remove(tx: Transaction, subnet_id: str) -> None:
    """Delete a subnet, all subnets below it and all their addresses. Raises `NotFound`."""
    change_tree(tx)
    subnet = subnet_rows.get(tx, subnet_id)
    where = {
        "vrf_id": subnet.vrf_id,
        "first": to_bytes(subnet.network.first),
        "last": to_bytes(subnet.network.last),
    }
    tx.record_many(_deleted(subnet.vrf_id, *going) for going in tx.all(_GOING, **where))
    tx.write(_DELETE_ADDRESSES, **where)
    free_space.forget(tx, subnet.vrf_id, subnet.network)
    usage.forget(tx, subnet.vrf_id, subnet.network)
    tx.write(_DELETE_SUBNETS, **where)
    changed_networks(tx).append((subnet.vrf_id, subnet.network))
    if subnet.parent_id:
        _return_space(tx, subnet)


def _return_space(tx: Transaction, subnet: Subnet) -> None:
    parent = subnet_rows.get(tx, subnet.parent_id)
    assignable = free_space.assignable(
        parent.network, is_pool=parent.is_pool, gateway=parent.gateway
    )
    for span in assignable:
        returned = span.intersection(subnet.network.span)
        if returned:
            free_space.give_back(tx, parent.id, returned)


def _deleted(vrf_id: str, subnet_id: str, network: Network, used: int) -> Change:
    return Change(
        type="subnet.deleted",
        resource_id=subnet_id,
        label=str(network),
        details=f"Deleted subnet {network} with {used} address{'' if used == 1 else 'es'}",
        data={"network": str(network), "vrf_id": vrf_id or None, "addresses_deleted": used},
    )
