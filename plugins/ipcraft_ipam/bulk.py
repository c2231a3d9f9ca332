"""Many addresses in one request: all of them or none, in a handful of statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from ipcraft.plugin import AddressBytes, Invalid, Statement, Transaction, given, own
from ipcraft_ipam import address_lists, addresses, allocation, free_space, usage
from ipcraft_ipam import subnets as subnet_rows
from ipcraft_ipam.addresses import Address
from ipcraft_ipam.locking import keep_tree
from ipcraft_ipam.networks import BITS, Network, to_bytes
from ipcraft_ipam.subnets import Subnet, subnet
from ipcraft_ipam.tables import subnets

_FEW = 32
_CHUNK = 512

_s = subnets.c
_OVERLAPPING = Statement(
    select(*subnet_rows.COLUMNS)
    .where(
        _s.organization_id == own(),
        _s.vrf_id == given("vrf_id"),
        _s.first >= given("first", AddressBytes),
        _s.first <= given("highest", AddressBytes),
        _s.last >= given("lowest", AddressBytes),
        _s.last <= given("last", AddressBytes),
    )
    .order_by(_s.first, _s.prefix_length),
    subnet,
)


def create_many(
    tx: Transaction, subnet_id: str, items: Sequence[Mapping[str, Any]]
) -> list[Address]:
    """Assign many addresses in a subnet, each as `addresses.create` would.

    Raises `NotFound` for the subnet, and `Invalid` naming the index of the first bad item.
    """
    keep_tree(tx)
    target = subnet_rows.get(tx, subnet_id)
    if not items:
        return []
    _check_items(target, items)
    homes = _homes(tx, target, [item["ip"] for item in items])
    for index, item in enumerate(items):
        with_index(index, addresses.check_assignable, homes[item["ip"]], item["ip"])
    _refuse_assigned(tx, target, items)
    new = [addresses.new_address(tx, homes[item["ip"]], item, ip=item["ip"]) for item in items]
    tx.record_many(addresses.created(address) for address in new)
    # In the order of addresses, so that two who assign the same ones do not wait for each other.
    ordered = sorted(new, key=lambda address: address.ip)
    tx.write_many(addresses.INSERT, [addresses.row(address) for address in ordered])
    count_and_cut(tx, homes)
    return new


def with_index(index: int, check: Any, *arguments: Any) -> Any:
    """Call a function for one item of a list; its refusal then names the item's index."""
    try:
        return check(*arguments)
    except Invalid as refusal:
        raise at(index, refusal) from None


def at(index: int, refusal: Invalid) -> Invalid:
    """Make the refusal of one item the refusal of the list."""
    fields = {f"{index}.{name}": complaints for name, complaints in (refusal.fields or {}).items()}
    return Invalid(f"item {index}: {refusal.message}", code=refusal.code, fields=fields or None)


def _check_items(target: Subnet, items: Sequence[Mapping[str, Any]]) -> None:
    seen: dict[int, int] = {}
    for index, item in enumerate(items):
        ip = item["ip"]
        if ip not in target.network.span:
            raise at(index, addresses.outside(ip, target.network))
        if ip in seen:
            refusal = Invalid.field(
                "ip", f"the same address is item {seen[ip]} already", code="address_taken"
            )
            raise at(index, refusal)
        seen[ip] = index


def _homes(tx: Transaction, target: Subnet, ips: Sequence[int]) -> dict[int, Subnet]:
    """Give the smallest subnet around each address."""
    if len(ips) <= _FEW:
        return {ip: _home(tx, target, ip) for ip in ips}
    ordered = sorted(ips)
    candidates = tx.all(
        _OVERLAPPING,
        vrf_id=target.vrf_id,
        first=to_bytes(target.network.first),
        last=to_bytes(target.network.last),
        lowest=to_bytes(ordered[0]),
        highest=to_bytes(ordered[-1]),
    )
    return {ip: home or target for ip, home in sweep(ordered, candidates)}


def _home(tx: Transaction, target: Subnet, ip: int) -> Subnet:
    host = Network(ip, BITS[target.network.family])
    return subnet_rows.container(tx, target.vrf_id, host) or target


def sweep(
    ordered: Sequence[int], candidates: Sequence[Subnet]
) -> Iterator[tuple[int, Subnet | None]]:
    """Give the smallest of the subnets around each address, None where there is none.

    Walk addresses and subnets upward together; the open subnets are a stack.
    """
    waiting = iter(candidates)
    upcoming = next(waiting, None)
    opened: list[Subnet] = []
    for ip in ordered:
        while upcoming and upcoming.network.first <= ip:
            opened.append(upcoming)
            upcoming = next(waiting, None)
        while opened and opened[-1].network.last < ip:
            opened.pop()
        yield ip, opened[-1] if opened else None


def _refuse_assigned(tx: Transaction, target: Subnet, items: Sequence[Mapping[str, Any]]) -> None:
    for start in range(0, len(items), _CHUNK):
        chunk = [item["ip"] for item in items[start : start + _CHUNK]]
        assigned = allocation.assigned(tx, target.vrf_id, chunk)
        for offset, ip in enumerate(chunk):
            if ip in assigned:
                [first] = address_lists.rows(tx, {"ip": ip, "vrf_id": target.vrf_id}, limit=1)
                raise at(start + offset, addresses.taken(ip, addresses.address(*first).id))


def count_and_cut(tx: Transaction, homes: Mapping[int, Subnet]) -> None:
    """Count assigned addresses at their homes, and take them out of the free space."""
    by_home: defaultdict[str, list[int]] = defaultdict(list)
    subnet_of: dict[str, Subnet] = {}
    for ip, home in homes.items():
        by_home[home.id].append(ip)
        subnet_of[home.id] = home
    # In the order of subnets, so that two who wait for ranges do not wait for each other.
    for home_id, ips in sorted(by_home.items()):
        home = subnet_of[home_id]
        usage.add(tx, home.vrf_id, home.network, len(ips))
        free_space.cut(tx, home_id, sorted(ips))
