"""Splitting a subnet into equal parts, which become its children."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import groupby

from sqlalchemy import select, update

from ipcraft.plugin import AddressBytes, Invalid, Statement, Transaction, given, new_id, own
from ipcraft_ipam import free_space, usage
from ipcraft_ipam import subnets as subnet_rows
from ipcraft_ipam.hierarchy import INSERT, created, refuse_edges, row
from ipcraft_ipam.locking import change_tree, changed_networks
from ipcraft_ipam.networks import BITS, Network, Span, from_bytes, to_bytes
from ipcraft_ipam.subnets import Subnet
from ipcraft_ipam.tables import addresses, subnets

MOST = 8192
"""How many parts one request may make."""

_a, _s = addresses.c, subnets.c
_AT_HOME = Statement(
    select(_a.ip)
    .where(
        _a.organization_id == own(),
        _a.vrf_id == given("vrf_id"),
        _a.ip >= given("first", AddressBytes),
        _a.ip <= given("last", AddressBytes),
        _a.subnet_id == given("id"),
    )
    .order_by(_a.ip),
    from_bytes,
)
_MOVE_ADDRESSES = Statement(
    update(addresses)
    .where(
        _a.organization_id == own(),
        _a.vrf_id == given("vrf_id"),
        _a.ip >= given("first", AddressBytes),
        _a.ip <= given("last", AddressBytes),
        _a.subnet_id == given("id"),
    )
    .values(subnet_id=given("part_id"))
)
_MOVE_CHILDREN = Statement(
    update(subnets)
    .where(
        _s.organization_id == own(),
        _s.vrf_id == given("vrf_id"),
        _s.first >= given("first", AddressBytes),
        _s.first <= given("last", AddressBytes),
        _s.parent_id == given("id"),
    )
    .values(parent_id=given("part_id"))
)


def split(tx: Transaction, subnet_id: str, parts: int) -> list[Subnet]:
    """Split a subnet into equal parts; its addresses and children move into them.

    Raises `NotFound`, and `Invalid` (nothing changes then) when `parts` is no power of two from 2,
    does not fit, a child equals or contains a part, or an address would become a part's network
    or broadcast address.
    """
    change_tree(tx)
    subnet = subnet_rows.get(tx, subnet_id)
    networks = _parts(subnet.network, parts)
    children = [network for _, network, _ in subnet_rows.children(tx, subnet_id)]
    _refuse_children(children, networks)
    taken = _taken(tx, subnet)
    for ip in taken:
        part = networks[_index(networks, ip)]
        refuse_edges(part, Span(ip, ip), is_pool=subnet.is_pool)
    made = [_part(tx, subnet, network) for network in networks]
    tx.record_many(created(part) for part in made)
    _move_children(tx, subnet, made, children)
    _move_addresses(tx, subnet, made, taken)
    holes = [child.span for child in children] + [Span(ip, ip) for ip in taken]
    _delegate(tx, subnet, made, sorted(holes))
    tx.write_many(INSERT, [row(part) for part in made])
    changed_networks(tx).append((subnet.vrf_id, subnet.network))
    return made


def _parts(network: Network, parts: int) -> list[Network]:
    if parts < 2 or parts & (parts - 1):
        raise Invalid.field(
            "parts", f"parts must be a power of 2 from 2 on, not {parts}", code="invalid_parts"
        )
    prefix_length = network.prefix_length + parts.bit_length() - 1
    if prefix_length > BITS[network.family]:
        raise Invalid.field(
            "parts", f"{network} cannot be split into {parts} parts", code="invalid_parts"
        )
    if parts > MOST:
        raise Invalid.field(
            "parts", f"parts is at most {MOST}: split the parts again", code="invalid_parts"
        )
    return list(network.split(parts))


def _refuse_children(children: Sequence[Network], parts: Sequence[Network]) -> None:
    for child in children:
        if child.prefix_length <= parts[0].prefix_length:
            raise Invalid.field(
                "parts",
                f"existing child {child} equals or contains a part of /{parts[0].prefix_length}",
                code="subnet_overlap",
            )


def _taken(tx: Transaction, subnet: Subnet) -> list[int]:
    return tx.all(
        _AT_HOME,
        id=subnet.id,
        vrf_id=subnet.vrf_id,
        first=to_bytes(subnet.network.first),
        last=to_bytes(subnet.network.last),
    )


def _index(parts: Sequence[Network], address: int) -> int:
    return bisect_right(parts, address, key=lambda part: part.first) - 1


def _part(tx: Transaction, subnet: Subnet, network: Network) -> Subnet:
    return Subnet(
        id=new_id("sub"),
        vrf_id=subnet.vrf_id,
        network=network,
        parent_id=subnet.id,
        section_id=subnet.section_id,
        vlan_id=subnet.vlan_id,
        name=None,
        description=None,
        gateway=None,
        is_pool=subnet.is_pool,
        created_at=tx.now,
        updated_at=tx.now,
    )


def _move_children(
    tx: Transaction, subnet: Subnet, made: Sequence[Subnet], children: Sequence[Network]
) -> None:
    networks = [part.network for part in made]
    for index in sorted({_index(networks, child.first) for child in children}):
        tx.write(_MOVE_CHILDREN, **_into(subnet, made[index]))


def _move_addresses(
    tx: Transaction, subnet: Subnet, made: Sequence[Subnet], taken: Sequence[int]
) -> None:
    networks = [part.network for part in made]
    for index, group in groupby(taken, key=lambda ip: _index(networks, ip)):
        tx.write(_MOVE_ADDRESSES, **_into(subnet, made[index]))
        usage.add(tx, subnet.vrf_id, networks[index], len(list(group)))
    usage.add(tx, subnet.vrf_id, subnet.network, -len(taken))


def _into(subnet: Subnet, part: Subnet) -> dict[str, str | bytes]:
    return {
        "id": subnet.id,
        "part_id": part.id,
        "vrf_id": subnet.vrf_id,
        "first": to_bytes(part.network.first),
        "last": to_bytes(part.network.last),
    }


def _delegate(
    tx: Transaction, subnet: Subnet, made: Sequence[Subnet], holes: Sequence[Span]
) -> None:
    """Hand the subnet's free space on to its parts."""
    free_space.clear(tx, subnet.id)
    start = 0
    for part in made:
        end = bisect_right(holes, part.network.last, key=lambda hole: hole.first)
        usable = part.network.usable(is_pool=part.is_pool)
        free_space.store(tx, part.id, free_space.without(usable, holes[start:end]))
        start = end
