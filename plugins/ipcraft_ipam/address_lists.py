"""Lists of addresses: of a subnet or of the organization, by address, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Integer, func, select, tuple_

from ipcraft.plugin import AddressBytes, Row, Statement, Transaction, given, own
from ipcraft_ipam.addresses import COLUMNS, Address, address
from ipcraft_ipam.networks import Span, to_bytes
from ipcraft_ipam.tables import addresses

_a = addresses.c
EQUAL = ("vrf_id", "mac_address", "hostname", "status", "owner")
"""The filters that a column equals."""

START: Row = ("", b"")


def pages(
    tx: Transaction, filters: Mapping[str, Any], *, after: Row = START, limit: int, offset: int = 0
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


def count(tx: Transaction, filters: Mapping[str, Any]) -> int:
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


@lru_cache
def _page(names: frozenset[str]) -> Statement[Address]:
    if "vrf_id" in names:
        order: list[ColumnElement[Any]] = [_a.ip]
        after: ColumnElement[bool] = _a.ip > given("after_ip", AddressBytes)
    else:
        order = [_a.vrf_id, _a.ip]
        after = tuple_(_a.vrf_id, _a.ip) > tuple_(
            given("after_vrf_id"), given("after_ip", AddressBytes)
        )
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
