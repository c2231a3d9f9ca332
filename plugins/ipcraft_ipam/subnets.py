"""Subnets as they are read: one, its children, and lists with their utilization."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, func, select, tuple_

from ipcraft.plugin import AddressBytes, NotFound, Row, Statement, Transaction, given, own
from ipcraft_ipam.networks import Network, from_bytes, to_bytes
from ipcraft_ipam.tables import GLOBAL_VRF, subnets
from ipcraft_ipam.usage import USED_IN, Usage, used_within


@dataclass(frozen=True, slots=True, kw_only=True)
class Subnet:
    """Be a subnet as stored; times are seconds since the epoch, addresses numbers."""

    id: str
    vrf_id: str
    network: Network
    parent_id: str
    section_id: str | None
    vlan_id: str | None
    name: str | None
    description: str | None
    gateway: int | None
    is_pool: bool
    created_at: int
    updated_at: int

    @property
    def total(self) -> int:
        """Give the number of usable addresses."""
        return self.network.usable(is_pool=self.is_pool).size

    def usage(self, used: int) -> Usage:
        """Relate a count of addresses to the usable ones."""
        return Usage(used, self.total)


_s = subnets.c
COLUMNS = (
    _s.id,
    _s.vrf_id,
    _s.first,
    _s.prefix_length,
    _s.parent_id,
    _s.section_id,
    _s.vlan_id,
    _s.name,
    _s.description,
    _s.gateway,
    _s.is_pool,
    _s.created_at,
    _s.updated_at,
)


def subnet(
    id: str,  # noqa: A002 - the column's name
    vrf_id: str,
    first: bytes,
    prefix_length: int,
    parent_id: str,
    section_id: str | None,
    vlan_id: str | None,
    name: str | None,
    description: str | None,
    gateway: bytes | None,
    is_pool: bool | int,  # noqa: FBT001 - a row's column
    created_at: int,
    updated_at: int,
) -> Subnet:
    """Make a subnet of its row."""
    return Subnet(
        id=id,
        vrf_id=vrf_id,
        network=Network(from_bytes(first), prefix_length),
        parent_id=parent_id,
        section_id=section_id,
        vlan_id=vlan_id,
        name=name,
        description=description,
        gateway=None if gateway is None else from_bytes(gateway),
        is_pool=bool(is_pool),
        created_at=created_at,
        updated_at=updated_at,
    )


def _with_usage(*row: Any) -> tuple[Subnet, Usage]:
    *columns, used = row
    found = subnet(*columns)
    return found, found.usage(int(used))


_BY_ID = (_s.organization_id == own(), _s.id == given("id"))
ONE = Statement(select(*COLUMNS).where(*_BY_ID), subnet)
ONE_WITH_USAGE = Statement(select(*COLUMNS, used_within()).where(*_BY_ID), _with_usage)
CHILDREN_WITH_USAGE = Statement(
    select(*COLUMNS, used_within())
    .where(_s.organization_id == own(), _s.parent_id == given("id"))
    .order_by(_s.vrf_id, _s.first),
    _with_usage,
)
CHILDREN = Statement(
    select(_s.id, _s.first, _s.prefix_length, _s.name)
    .where(_s.organization_id == own(), _s.parent_id == given("id"))
    .order_by(_s.vrf_id, _s.first),
    lambda id, first, prefix_length, name: (id, Network(from_bytes(first), prefix_length), name),
)

_nearest = (
    select(*COLUMNS, _s.last)
    .where(
        _s.organization_id == own(),
        _s.vrf_id == given("vrf_id"),
        tuple_(_s.first, _s.prefix_length)
        <= tuple_(given("first", AddressBytes), given("prefix_length", Integer())),
    )
    .order_by(_s.first.desc(), _s.prefix_length.desc())
    .limit(1)
    .subquery("nearest")
)


def climb(*, everything: bool = False) -> Select[Any]:
    """Find the smallest subnet that contains the network `first`..`last`, itself included.

    It is the nearest network at or below, or an ancestor of that one: two networks are nested or
    disjoint. With `everything`, all that contain it.
    """
    up = select(_nearest).cte("up", recursive=True)
    above = (_s.organization_id == own(), _s.id == up.c.parent_id)
    if not everything:
        above += (up.c.last < given("last", AddressBytes),)
    up = up.union_all(select(*COLUMNS, _s.last).where(*above))
    return select(*(up.c[column.name] for column in COLUMNS)).where(
        up.c.last >= given("last", AddressBytes)
    )


CONTAINER = Statement(climb(), subnet)


def get(tx: Transaction, subnet_id: str) -> Subnet:
    """Give a subnet. Raises `NotFound`."""
    return _found(tx.one(ONE, id=subnet_id))


def get_with_usage(tx: Transaction, subnet_id: str) -> tuple[Subnet, Usage]:
    """Give a subnet and how much of it is used. Raises `NotFound`."""
    row = tx.one(ONE_WITH_USAGE, id=subnet_id)
    if row is None:
        raise NotFound("Subnet not found")
    return row


def used(tx: Transaction, row: Subnet) -> int:
    """Count the addresses of a subnet, those of its descendants included."""
    return int(
        tx.value(
            USED_IN,
            vrf_id=row.vrf_id,
            first=to_bytes(row.network.first),
            last=to_bytes(row.network.last),
        )
    )


def _found(row: Subnet | None) -> Subnet:
    """Give the subnet, or raise `NotFound`."""
    if row is None:
        raise NotFound("Subnet not found")
    return row


def children(tx: Transaction, subnet_id: str) -> list[tuple[str, Network, str | None]]:
    """Give id, network and name of each direct child, by address."""
    return tx.all(CHILDREN, id=subnet_id)


def children_with_usage(tx: Transaction, subnet_id: str) -> list[tuple[Subnet, Usage]]:
    """Give each direct child and how much of it is used, by address."""
    return tx.all(CHILDREN_WITH_USAGE, id=subnet_id)


def container(tx: Transaction, vrf_id: str, network: Network) -> Subnet | None:
    """Give the smallest subnet that equals or contains the network."""
    return tx.one(
        CONTAINER,
        vrf_id=vrf_id,
        first=to_bytes(network.first),
        last=to_bytes(network.last),
        prefix_length=network.prefix_length,
    )


def pages(
    tx: Transaction, filters: Mapping[str, Any], *, after: Row | None, limit: int, offset: int = 0
) -> list[tuple[Subnet, Usage]]:
    """Give up to `limit` subnets by address, after the (VRF, first, prefix length) of the last one.

    Filters: `section_id`, `parent_id`, `vrf_id`, `vlan_id`; `network` as (first, prefix length);
    `contains` as an address.
    """
    names = frozenset(filters)
    parameters = _parameters(filters)
    if after is not None:
        parameters |= dict(zip(("after_vrf_id", "after_first", "after_prefix"), after, strict=True))
    statement = _page(names, after is not None)
    return tx.all(statement, **parameters, limit=limit, offset=offset)


def count(tx: Transaction, filters: Mapping[str, Any]) -> int:
    """Count what `pages` would give in all."""
    return int(tx.value(_count(frozenset(filters)), **_parameters(filters)))


def walk(
    tx: Transaction, filters: Mapping[str, Any], *, size: int
) -> Iterator[list[tuple[Subnet, Usage]]]:
    """Give all subnets by address, page by page."""
    after: Row | None = None
    while True:
        page = pages(tx, filters, after=after, limit=size)
        yield page
        if len(page) < size:
            return
        after = position(page[-1][0])


def position(row: Subnet) -> Row:
    """Give the subnet's place in the order of lists."""
    return row.vrf_id, to_bytes(row.network.first), row.network.prefix_length


def _parameters(filters: Mapping[str, Any]) -> dict[str, Any]:
    parameters = dict(filters)
    network: Network | None = parameters.pop("network", None)
    if network is not None:
        parameters |= {"network_first": to_bytes(network.first), "network_prefix": network.prefix_length}
    contains: Network | None = parameters.pop("contains", None)
    if contains is not None:
        parameters |= {
            "vrf_id": parameters.get("vrf_id", GLOBAL_VRF),
            "first": to_bytes(contains.first),
            "last": to_bytes(contains.last),
            "prefix_length": contains.prefix_length,
        }
    return parameters


def _conditions(names: frozenset[str]) -> list[ColumnElement[bool]]:
    conditions = [_s.organization_id == own()]
    conditions += [
        _s[name] == given(name)
        for name in ("section_id", "parent_id", "vrf_id", "vlan_id")
        if name in names
    ]
    if "network" in names:
        conditions.append(_s.first == given("network_first", AddressBytes))
        conditions.append(_s.prefix_length == given("network_prefix", Integer()))
    if "contains" in names:
        containing = climb(everything=True).subquery("containing")
        conditions.append(_s.id.in_(select(containing.c.id)))
    return conditions


@lru_cache
def _page(names: frozenset[str], continued: bool) -> Statement[tuple[Subnet, Usage]]:  # noqa: FBT001
    conditions = _conditions(names)
    if continued:
        conditions.append(
            tuple_(_s.vrf_id, _s.first, _s.prefix_length)
            > tuple_(
                given("after_vrf_id"),
                given("after_first", AddressBytes),
                given("after_prefix", Integer()),
            )
        )
    return Statement(
        select(*COLUMNS, used_within())
        .where(*conditions)
        .order_by(_s.vrf_id, _s.first, _s.prefix_length)
        .limit(given("limit", Integer()))
        .offset(given("offset", Integer())),
        _with_usage,
    )


@lru_cache
def _count(names: frozenset[str]) -> Statement[Row]:
    return Statement(select(func.count()).select_from(subnets).where(*_conditions(names)))
