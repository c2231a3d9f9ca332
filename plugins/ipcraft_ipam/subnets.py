"""Subnets as they are read: one, its children, and lists with their utilization."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Integer, ScalarSelect, Select, select, tuple_

from ipcraft.plugin import (
    AddressBytes,
    NotFound,
    Reader,
    Statement,
    Transaction,
    given,
    own,
)
from ipcraft_ipam.networks import Network, from_bytes, to_bytes
from ipcraft_ipam.tables import NO_PARENT, every_vrf, subnets
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
        return self.network.capacity(is_pool=self.is_pool)

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


def with_usage(*row: Any) -> tuple[Subnet, Usage]:
    """Make a subnet and its usage of a row of `COLUMNS` and the addresses used."""
    *columns, used = row
    found = subnet(*columns)
    return found, found.usage(used)


_BY_ID = (_s.organization_id == own(), _s.id == given("id"))
ONE = Statement(select(*COLUMNS).where(*_BY_ID), subnet)
ONE_TO_CHANGE = Statement(select(*COLUMNS).where(*_BY_ID).with_for_update(), subnet)
ONE_WITH_USAGE = Statement(select(*COLUMNS, used_within()).where(*_BY_ID), with_usage)
CHILDREN_WITH_USAGE = Statement(
    select(*COLUMNS, used_within())
    .where(_s.organization_id == own(), _s.parent_id == given("id"))
    .order_by(_s.first),
    with_usage,
)
CHILDREN = Statement(
    select(_s.id, _s.first, _s.prefix_length, _s.name)
    .where(_s.organization_id == own(), _s.parent_id == given("id"))
    .order_by(_s.first),
    lambda child_id, first, prefix_length, name: (
        child_id,
        Network(from_bytes(first), prefix_length),
        name,
    ),
    one_plan=True,
)


def climb(
    vrf_id: ColumnElement[str], first: ColumnElement[Any], last: ColumnElement[Any]
) -> ScalarSelect[str]:
    """Find the id of the smallest subnet that contains `first`..`last`, itself included.

    It is the nearest network at or below, or an ancestor of that one: two networks are nested or
    disjoint.

    PERF: each step looks up one row by its key. Written as joins, the planner may scan an
    organization for it, which is a good plan for the average tenant and a bad one for the largest.
    """
    nearest = select(_s.id, _s.parent_id, _s.last)
    return _up_from(_nearest(nearest, vrf_id, first), last, to_top=False).scalar_subquery()


def _nearest(
    columns: Select[*tuple[Any, ...]], vrf_id: ColumnElement[str], first: ColumnElement[Any]
) -> Select[*tuple[Any, ...]]:
    return (
        columns.where(
            _s.organization_id == own(),
            _s.vrf_id == vrf_id,
            tuple_(_s.first, _s.prefix_length) <= tuple_(first, given("prefix_length", Integer())),
        )
        .order_by(_s.first.desc(), _s.prefix_length.desc())
        .limit(1)
    )


def _up_from(
    nearest: Select[*tuple[Any, ...]], last: ColumnElement[Any], *, to_top: bool
) -> Select[*tuple[Any, ...]]:
    """Give the ids of those that reach to `last`, up to the first one or to the root."""
    up = select(nearest.subquery("nearest")).cte("up", recursive=True)
    climbing = [up.c.parent_id != NO_PARENT]
    if not to_top:
        climbing.append(up.c.last < last)
    parent_id, end = (_by_id(column, up.c.parent_id) for column in (_s.parent_id, _s.last))
    up = up.union_all(select(up.c.parent_id, parent_id, end).where(*climbing))
    return select(up.c.id).where(up.c.last >= last)


def _by_id(column: Column[Any], subnet_id: ColumnElement[str]) -> ScalarSelect[Any]:
    """Look up a column of the subnet that a column of another row names."""
    one = subnets.alias("one").c
    key = (one.organization_id == own(), one.id == subnet_id)
    return select(one[column.name]).where(*key).correlate_except(one.id.table).scalar_subquery()


def _nearest_in_each_vrf(first: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    vrf = every_vrf().subquery("vrf")
    found = _nearest(select(_s.id), vrf.c.id, first).correlate(vrf).scalar_subquery()
    nearest = select(found.label("id")).select_from(vrf).subquery("nearest_id")
    columns = (
        _by_id(column, nearest.c.id).label(column.name) for column in (_s.parent_id, _s.last)
    )
    return select(nearest.c.id, *columns).where(nearest.c.id.is_not(None))


_FIRST, _LAST = given("first", AddressBytes), given("last", AddressBytes)
CONTAINER = Statement(
    select(*COLUMNS).where(
        _s.organization_id == own(),
        _s.id == climb(given("vrf_id"), _FIRST, _LAST),
    ),
    subnet,
    one_plan=True,
)
_NEAREST = _nearest(select(_s.id, _s.parent_id, _s.last), given("vrf_id"), _FIRST)
CONTAINING = Statement(_up_from(_NEAREST, _LAST, to_top=True), str, one_plan=True)
ANYWHERE = _up_from(_nearest_in_each_vrf(_FIRST), _LAST, to_top=True)
"""The ids of all that contain `first`..`last` in any VRF, for other statements too."""
CONTAINING_ANYWHERE = Statement(ANYWHERE, str, one_plan=True)


def get(tx: Reader, subnet_id: str) -> Subnet:
    """Give a subnet. Raises `NotFound`."""
    return _found(tx.one(ONE, id=subnet_id))


def get_to_change(tx: Transaction, subnet_id: str) -> Subnet:
    """Give a subnet that nobody else changes until the commit. Raises `NotFound`."""
    return _found(tx.one(ONE_TO_CHANGE, id=subnet_id))


def get_with_usage(tx: Reader, subnet_id: str) -> tuple[Subnet, Usage]:
    """Give a subnet and how much of it is used. Raises `NotFound`."""
    row = tx.one(ONE_WITH_USAGE, id=subnet_id)
    if row is None:
        raise NotFound("Subnet not found")
    return row


def used(tx: Reader, row: Subnet) -> int:
    """Count the addresses of a subnet, those of its descendants included."""
    count: int = tx.value(
        USED_IN,
        vrf_id=row.vrf_id,
        first=to_bytes(row.network.first),
        last=to_bytes(row.network.last),
    )
    return count


def _found(row: Subnet | None) -> Subnet:
    """Give the subnet, or raise `NotFound`."""
    if row is None:
        raise NotFound("Subnet not found")
    return row


def children(tx: Reader, subnet_id: str) -> list[tuple[str, Network, str | None]]:
    """Give id, network and name of each direct child, by address."""
    return tx.all(CHILDREN, id=subnet_id)


def children_with_usage(tx: Reader, subnet_id: str) -> list[tuple[Subnet, Usage]]:
    """Give each direct child and how much of it is used, by address."""
    return tx.all(CHILDREN_WITH_USAGE, id=subnet_id)


def container(tx: Reader, vrf_id: str, network: Network) -> Subnet | None:
    """Give the smallest subnet that equals or contains the network."""
    return tx.one(CONTAINER, vrf_id=vrf_id, **_extent(network))


def ask_container(
    tx: Transaction, note: Callable[[Subnet | None], object], *, vrf_id: str, network: Network
) -> None:
    """Ask for it with the next statement."""
    tx.ask(CONTAINER, note, vrf_id=vrf_id, **_extent(network))


def _extent(network: Network) -> dict[str, Any]:
    return {
        "first": to_bytes(network.first),
        "last": to_bytes(network.last),
        "prefix_length": network.prefix_length,
    }


def containing(tx: Reader, network: Network, *, vrf_id: str | None = None) -> list[str]:
    """Give the id of every subnet that contains the network (a single address is one too).

    Those of one VRF, or of all without it, in any order.
    """
    if vrf_id is None:
        return tx.all(CONTAINING_ANYWHERE, **_extent(network))
    return tx.all(CONTAINING, vrf_id=vrf_id, **_extent(network))
