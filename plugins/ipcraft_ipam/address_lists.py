"""Lists of addresses: of a subnet or of the organization, by address, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, func, or_, select, tuple_

from ipcraft.plugin import AddressBytes, Reader, Row, Statement, given, own
from ipcraft_ipam.addresses import COLUMNS, Address, address
from ipcraft_ipam.networks import Span, to_bytes
from ipcraft_ipam.tables import addresses

_a = addresses.c
EQUAL = ("vrf_id", "mac_address", "hostname", "status", "owner")
"""The filters that a column equals."""

_SELECTIVE = {"hostname", "mac_address", "ip"}
"""Filters that an index answers."""

START: Row = ("", b"")


def pages(
    tx: Reader, filters: Mapping[str, Any], *, after: Row = START, limit: int, offset: int = 0
) -> list[Address]:
    """Give up to `limit` addresses after a (VRF, address) place.

    Filters: those of `EQUAL`; `ip` as a number; `within` as a span, which goes with `vrf_id`.
    """
    after_vrf_id, after_ip = after
    return tx.all(
        _page(frozenset(filters)),
        **_parameters(filters),
        after_vrf_id=after_vrf_id,
        after_ip=after_ip,
        limit=limit,
        offset=offset,
    )


def count(tx: Reader, filters: Mapping[str, Any]) -> int:
    """Count what `pages` would give in all."""
    return int(tx.value(_count(frozenset(filters)), **_parameters(filters)))


def position(row: Address) -> Row:
    """Give the address's place in the order of lists."""
    return row.vrf_id, to_bytes(row.ip)


def _parameters(filters: Mapping[str, Any]) -> dict[str, Any]:
    parameters = dict(filters)
    if "ip" in parameters:
        parameters["ip"] = to_bytes(parameters["ip"])
    within: Span | None = parameters.pop("within", None)
    if within is not None:
        parameters |= {"first": to_bytes(within.first), "last": to_bytes(within.last)}
    return parameters


def _conditions(names: frozenset[str]) -> list[ColumnElement[bool]]:
    conditions = [_a.organization_id == own()]
    conditions += [_a[name] == given(name) for name in EQUAL if name in names]
    if "ip" in names:
        conditions.append(_a.ip == given("ip", AddressBytes))
    if "within" in names:
        conditions.append(_a.ip >= given("first", AddressBytes))
        conditions.append(_a.ip <= given("last", AddressBytes))
    return conditions


def _after(names: frozenset[str]) -> ColumnElement[bool]:
    """Compare with the place of the last one.

    PERF: of a comparison of rows the planner judges the first column alone. Where all addresses
    are in one VRF it then expects next to no row, and walks through all of them for a filter
    that has an index of its own.
    """
    vrf_id, ip = given("after_vrf_id"), given("after_ip", AddressBytes)
    if names & _SELECTIVE:
        return and_(_a.vrf_id >= vrf_id, or_(_a.vrf_id > vrf_id, _a.ip > ip))
    return tuple_(_a.vrf_id, _a.ip) > tuple_(vrf_id, ip)


@lru_cache
def _page(names: frozenset[str]) -> Statement[Address]:
    if "vrf_id" in names:
        order: list[ColumnElement[Any]] = [_a.ip]
        after: ColumnElement[bool] = _a.ip > given("after_ip", AddressBytes)
    else:
        order = [_a.vrf_id, _a.ip]
        after = _after(names)
    return Statement(
        select(*COLUMNS)
        .where(*_conditions(names), after)
        .order_by(*order)
        .limit(given("limit", Integer()))
        .offset(given("offset", Integer())),
        address,
    )


@lru_cache
def _count(names: frozenset[str]) -> Statement[Row]:
    return Statement(select(func.count()).select_from(addresses).where(*_conditions(names)))
