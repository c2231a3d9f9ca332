"""Lists of subnets with their utilization: by address, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, func, or_, select, tuple_

from ipcraft.plugin import AddressBytes, CountedPage, Reader, Row, Statement, given, own
from ipcraft_ipam.networks import Network, to_bytes
from ipcraft_ipam.subnets import COLUMNS, Subnet, with_usage
from ipcraft_ipam.tables import every_vrf, subnets
from ipcraft_ipam.usage import BEYOND, Usage, used_in_each, used_within

_s = subnets.c
_PLACE = tuple(COLUMNS.index(column) for column in (_s.vrf_id, _s.first, _s.prefix_length))
_VRF_ID, _FIRST, _ = _PLACE
_LAST = len(COLUMNS)
_UNBROKEN = frozenset({"vrf_id"})
"""Filters that leave out no descendant of a subnet."""


def rows(
    tx: Reader, filters: Mapping[str, Any], *, after: Row | None = None, limit: int
) -> list[Row]:
    """Give up to `limit` subnets by address, after the (VRF, first, prefix length) of the last one.

    Each is a row of `subnets.COLUMNS`, the last address and the addresses used. Filters:
    `section_id`, `parent_id`, `vrf_id`, `vlan_id`, `network`.
    """
    names = frozenset(filters)
    parameters = _parameters(filters)
    if after is not None:
        parameters |= dict(zip(("after_vrf_id", "after_first", "after_prefix"), after, strict=True))
    page = _page(names, after is not None)
    if names <= _UNBROKEN:
        return _summed(tx, tx.all(page, **parameters, limit=limit + 1), limit=limit)
    return tx.all(page, **parameters, limit=limit)


def page_of(
    tx: Reader, filters: Mapping[str, Any], *, limit: int, offset: int
) -> tuple[list[Row], int]:
    """Give up to `limit` such rows after `offset` ones, and how many there are in all."""
    return _counted(frozenset(filters)).read(tx, limit=limit, offset=offset, **_parameters(filters))


def walk(
    tx: Reader, filters: Mapping[str, Any], *, after: Row | None = None, size: int
) -> Iterator[tuple[Subnet, Usage]]:
    """Give all subnets by address, read page by page."""
    while True:
        page = rows(tx, filters, after=after, limit=size)
        for *columns, _, used in page:
            yield with_usage(*columns, used)
        if len(page) < size:
            return
        after = place(page[-1])


def matches(subnet: Subnet, filters: Mapping[str, Any]) -> bool:
    """Tell whether a subnet matches every filter that `rows` knows."""
    return all(getattr(subnet, name) == value for name, value in filters.items())


def place(row: Row) -> Row:
    """Give the row's place in the order of lists."""
    return tuple(row[index] for index in _PLACE)


def place_of(subnet: Subnet) -> Row:
    """Give the subnet's place in the order of lists."""
    return subnet.vrf_id, to_bytes(subnet.network.first), subnet.network.prefix_length


def _summed(tx: Reader, found: list[Row], *, limit: int) -> list[Row]:
    """Give up to `limit` rows with the addresses used; the next one tells where their counters end.

    The list must be one of all subnets, or of all of a VRF.
    """
    page = found[:limit]
    if not page:
        return page
    extents = [(row[_VRF_ID], row[_FIRST], row[_LAST]) for row in page]
    behind = found[limit] if len(found) > limit else None
    end = (page[-1][_VRF_ID], BEYOND) if behind is None else (behind[_VRF_ID], behind[_FIRST])
    used = used_in_each(tx, extents, end=end)
    return [(*row, count) for row, count in zip(page, used, strict=True)]


def _parameters(filters: Mapping[str, Any]) -> dict[str, Any]:
    parameters = dict(filters)
    network: Network | None = parameters.pop("network", None)
    if network is not None:
        parameters |= {
            "network_first": to_bytes(network.first),
            "network_prefix": network.prefix_length,
        }
    return parameters


_SELECTIVE = {"section_id", "vlan_id", "network"}
"""Filters that an index answers."""


def _conditions(names: frozenset[str]) -> list[ColumnElement[bool]]:
    conditions = [_s.organization_id == own()]
    conditions += [
        _s[name] == given(name)
        for name in ("section_id", "parent_id", "vrf_id", "vlan_id")
        if name in names
    ]
    if "network" in names and "vrf_id" not in names:
        conditions.append(_s.vrf_id.in_(every_vrf()))
    if "network" in names:
        conditions.append(_s.first == given("network_first", AddressBytes))
        conditions.append(_s.prefix_length == given("network_prefix", Integer()))
    return conditions


def _order(names: frozenset[str]) -> list[ColumnElement[Any]]:
    """Order by VRF and address; the children of one parent, which are in one VRF, by address.

    PERF: an index has the children of each parent in this order, roots of many VRFs too.
    """
    if "parent_id" in names:
        return [_s.first, _s.vrf_id]
    return [_s.vrf_id, _s.first, _s.prefix_length]


def _after(names: frozenset[str]) -> ColumnElement[bool]:
    """Compare with the place of the last one.

    PERF: of a comparison of rows the planner judges the first column alone. Where all subnets are
    in one VRF it then expects next to no row, and walks through all of them for a filter that
    has an index of its own. The index of parents has the order too, and the address first.
    """
    vrf_id = given("after_vrf_id")
    first, prefix = given("after_first", AddressBytes), given("after_prefix", Integer())
    if "parent_id" in names:
        return tuple_(_s.first, _s.vrf_id) > tuple_(first, vrf_id)
    if names & _SELECTIVE:
        later = or_(_s.vrf_id > vrf_id, tuple_(_s.first, _s.prefix_length) > tuple_(first, prefix))
        return and_(_s.vrf_id >= vrf_id, later)
    return tuple_(_s.vrf_id, _s.first, _s.prefix_length) > tuple_(vrf_id, first, prefix)


@lru_cache
def _page(names: frozenset[str], continued: bool) -> Statement[Row]:  # noqa: FBT001
    conditions = _conditions(names)
    if continued:
        conditions.append(_after(names))
    sums = () if names <= _UNBROKEN else (used_within(),)
    return Statement(
        select(*COLUMNS, _s.last, *sums)
        .where(*conditions)
        .order_by(*_order(names))
        .limit(given("limit", Integer()))
    )


@lru_cache
def _counted(names: frozenset[str]) -> CountedPage[Row]:
    conditions = _conditions(names)
    return CountedPage(
        select(*COLUMNS, _s.last).where(*conditions),
        order=_order(names),
        total=select(func.count()).select_from(subnets).where(*conditions).scalar_subquery(),
        beside=lambda page: [used_within(page)],
        into=lambda *row: row,
    )
