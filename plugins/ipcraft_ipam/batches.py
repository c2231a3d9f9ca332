"""Many addresses anywhere in a VRF: found, assigned and changed in a few statements each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, repeat
from typing import Any

from sqlalchemy import Integer, func, select, tuple_

from ipcraft.plugin import (
    AddressBytes,
    Contention,
    Invalid,
    Reader,
    RequestError,
    Row,
    Statement,
    Transaction,
    Unavailable,
    given,
    own,
)
from ipcraft_ipam import address_lists, addresses, subnets
from ipcraft_ipam.addresses import Address
from ipcraft_ipam.bulk import count_and_cut, sweep
from ipcraft_ipam.locking import keep_tree
from ipcraft_ipam.networks import BITS, Network, format_address, to_bytes
from ipcraft_ipam.subnets import Subnet
from ipcraft_ipam.tables import addresses as address_table
from ipcraft_ipam.tables import sections, vlans, vrfs
from ipcraft_ipam.tables import subnets as subnet_table
from ipcraft_ipam.usage import used_anywhere

_TOGETHER = 500
_NEAR = 4
"""How many times as many addresses neighbours may span."""

_a, _s = address_table.c, subnet_table.c
_in_vrf = (
    select(*addresses.COLUMNS)
    .where(_a.organization_id == own(), _a.vrf_id == given("vrf_id"))
    .order_by(_a.ip)
)
_found = _in_vrf.where(_a.ip.in_([given(f"ip{index}", AddressBytes) for index in range(_TOGETHER)]))
_FIND = Statement(_found, addresses.address)
_FIND_NEAR = Statement(
    _in_vrf.where(_a.ip >= given("lowest", AddressBytes), _a.ip <= given("highest", AddressBytes)),
    addresses.address,
)
_FIND_TO_CHANGE = Statement(_found.with_for_update(), addresses.address)
_BETWEEN = Statement(
    select(*subnets.COLUMNS)
    .where(
        _s.organization_id == own(),
        _s.vrf_id == given("vrf_id"),
        _s.first > given("lowest", AddressBytes),
        _s.first <= given("highest", AddressBytes),
    )
    .order_by(_s.first, _s.prefix_length)
    .limit(given("limit", Integer())),
    subnets.subnet,
)
_FEW = 32
"""Addresses whose homes are looked up one by one."""
_MOST_BETWEEN = 5000
"""Subnets that are read at once to look for the homes of addresses among them."""
_NETWORKS_TOGETHER = 250
_FIND_SUBNETS = Statement(
    select(*subnets.COLUMNS).where(
        _s.organization_id == own(),
        _s.vrf_id == given("vrf_id"),
        _s.first.in_([given(f"first{index}", AddressBytes) for index in range(_NETWORKS_TOGETHER)]),
    ),
    subnets.subnet,
)


_PAGE = Statement(
    select(*subnets.COLUMNS)
    .where(
        _s.organization_id == own(),
        tuple_(_s.vrf_id, _s.first, _s.prefix_length)
        > tuple_(given("vrf_id"), given("first", AddressBytes), given("prefix", Integer())),
    )
    .order_by(_s.vrf_id, _s.first, _s.prefix_length)
    .limit(given("limit", Integer())),
    subnets.subnet,
)


_SIZE = Statement(
    select(
        sum(
            (
                select(func.count())
                .select_from(table)
                .where(table.c.organization_id == own())
                .scalar_subquery()
                for table in (sections, vrfs, vlans, subnet_table)
            ),
            start=used_anywhere(in_one_vrf=False),
        )
    )
)


class ItemRefused(Exception):
    """Undo a transaction for the sake of one item of a batch; the others may go without it."""

    def __init__(self, index: int, reason: RequestError) -> None:
        super().__init__(index, reason)
        self.index = index
        self.reason = reason


def for_item(index: int, step: Callable[..., object], *arguments: Any) -> None:
    """Do a step for one item of a batch. Raises `ItemRefused` for what it is refused for."""
    try:
        step(*arguments)
    except (Unavailable, Contention):
        raise
    except RequestError as reason:
        raise ItemRefused(index, reason) from reason


def find_addresses(tx: Reader, vrf_id: str, ips: Sequence[int]) -> dict[int, Address]:
    """Give those of the addresses that are assigned, by the address; they come in any order."""
    if not ips:
        return {}
    lowest, highest = min(ips), max(ips)
    if highest - lowest >= _NEAR * len(ips):
        return {found.ip: found for found in _find(tx, _FIND, vrf_id, ips)}
    # PERF: until PostgreSQL has counted the rows of a large import, it reads all of them for a
    # list of addresses: 23 ms for 500 of 100,000, where the range takes 2.
    wanted = set(ips)
    between = tx.all(_FIND_NEAR, vrf_id=vrf_id, lowest=to_bytes(lowest), highest=to_bytes(highest))
    return {found.ip: found for found in between if found.ip in wanted}


def find_subnets(tx: Reader, vrf_id: str, networks: Sequence[Network]) -> dict[Network, Subnet]:
    """Give those of the networks that are subnets, by the network."""
    wanted = set(networks)
    found: dict[Network, Subnet] = {}
    firsts = sorted({network.first for network in networks})
    for start in range(0, len(firsts), _NETWORKS_TOGETHER):
        stored = chain(map(to_bytes, firsts[start : start + _NETWORKS_TOGETHER]), repeat(None))
        names = (f"first{index}" for index in range(_NETWORKS_TOGETHER))
        parameters = dict(zip(names, stored, strict=False))
        for row in tx.all(_FIND_SUBNETS, vrf_id=vrf_id, **parameters):
            if row.network in wanted:
                found[row.network] = row
    return found


def subnet_page(tx: Reader, after: Subnet | None, *, limit: int) -> list[Subnet]:
    """Give up to `limit` subnets by VRF and address, after one of them."""
    return tx.all(
        _PAGE,
        vrf_id=after.vrf_id if after else "",
        first=to_bytes(after.network.first) if after else b"",
        prefix=after.network.prefix_length if after else 0,
        limit=limit,
    )


def address_page(tx: Reader, after: Row | None, *, limit: int) -> list[Row]:
    """Give up to `limit` addresses by VRF and address, after a row; its columns are `Address`'s."""
    place = address_lists.START if after is None else address_lists.place(after)
    return address_lists.rows(tx, {}, after=place, limit=limit)


def inventory_size(tx: Reader) -> int:
    """Count folders, VRFs, VLANs, subnets and addresses, the last by their subnets' counters."""
    return int(tx.value(_SIZE))


def find_homes(tx: Reader, vrf_id: str, ips: Sequence[int]) -> Iterator[tuple[int, Subnet | None]]:
    """Give the smallest subnet around each of the addresses, which come in ascending order.

    Neighbours are answered by reading the subnets between them, those far apart one by one.
    """
    if len(ips) <= _FEW:
        yield from ((ip, subnets.container(tx, vrf_id, _host(ip))) for ip in ips)
        return
    between = tx.all(
        _BETWEEN,
        vrf_id=vrf_id,
        lowest=to_bytes(ips[0]),
        highest=to_bytes(ips[-1]),
        limit=_MOST_BETWEEN,
    )
    if len(between) == _MOST_BETWEEN:
        middle = len(ips) // 2
        yield from find_homes(tx, vrf_id, ips[:middle])
        yield from find_homes(tx, vrf_id, ips[middle:])
        return
    above = [subnets.get(tx, each) for each in subnets.containing(tx, _host(ips[0]), vrf_id=vrf_id)]
    yield from sweep(ips, [*sorted(above, key=lambda subnet: subnet.network), *between])


def assign_addresses(
    tx: Transaction, vrf_id: str, items: Sequence[Mapping[str, Any]]
) -> list[Address]:
    """Assign addresses, in ascending order, each as `addresses.create` would in its home.

    None of them may be assigned: the caller has looked with `find_addresses`. Raises
    `ItemRefused` for the first that no subnet contains or can assign, or that a plugin refuses.
    """
    keep_tree(tx)
    homes: dict[int, Subnet] = {}
    for index, (ip, home) in enumerate(find_homes(tx, vrf_id, [item["ip"] for item in items])):
        if home is None:
            raise ItemRefused(index, homeless(ip))
        for_item(index, addresses.check_assignable, home, ip)
        homes[ip] = home
    new = [addresses.new_address(tx, homes[item["ip"]], item, ip=item["ip"]) for item in items]
    for index, address in enumerate(new):
        for_item(index, tx.record, addresses.created(address))
    tx.write_many(addresses.INSERT, map(addresses.row, new))
    count_and_cut(tx, homes)
    return new


def change_addresses(
    tx: Transaction, vrf_id: str, items: Sequence[Mapping[str, Any]]
) -> dict[int, tuple[str, ...]]:
    """Change assigned addresses, each an item with `ip` and the fields to change.

    Give the names of the fields that changed, by the address; those that are assigned no more are
    left out. Raises `ItemRefused` for one that a plugin refuses.
    """
    keep_tree(tx)
    ips = [item["ip"] for item in items]
    found = {old.ip: old for old in _find(tx, _FIND_TO_CHANGE, vrf_id, ips)}
    rows: list[dict[str, Any]] = []
    changes: dict[int, tuple[str, ...]] = {}
    for index, item in enumerate(items):
        old = found.get(item["ip"])
        if old is None:
            continue
        changed = addresses.differing(old, item)
        changes[old.ip] = tuple(changed)
        if changed:
            for_item(index, tx.record, addresses.updated(old, changed))
            rows.append(addresses.new_row(replace(old, **changed, updated_at=tx.now)))
    tx.write_many(addresses.UPDATE, rows)
    return changes


def homeless(ip: int) -> Invalid:
    """Make the refusal of an address that no subnet contains."""
    return Invalid.field("ip", f"no subnet contains {format_address(ip)}", code="no_subnet")


def _host(ip: int) -> Network:
    return Network(ip, BITS[Network(ip, 0).family])


def _find(
    tx: Reader, statement: Statement[Address], vrf_id: str, ips: Sequence[int]
) -> Iterator[Address]:
    for start in range(0, len(ips), _TOGETHER):
        stored = chain(map(to_bytes, ips[start : start + _TOGETHER]), repeat(None))
        names = (f"ip{index}" for index in range(_TOGETHER))
        yield from tx.all(statement, vrf_id=vrf_id, **dict(zip(names, stored, strict=False)))
