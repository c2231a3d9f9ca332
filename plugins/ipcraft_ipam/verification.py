"""Recounting: every parent, home, counter and free range, compared with what is stored."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import Any

from sqlalchemy import Table, func, select

from ipcraft.plugin import Statement, Transaction, own
from ipcraft_ipam import address_lists, addresses
from ipcraft_ipam import subnets as subnet_rows
from ipcraft_ipam.addresses import Address
from ipcraft_ipam.free_space import assignable, without
from ipcraft_ipam.networks import Span, format_address, from_bytes
from ipcraft_ipam.subnets import Subnet
from ipcraft_ipam.tables import (
    NO_PARENT,
    free_ranges,
    sections,
    subnet_usage,
    subnets,
    vlans,
    vrfs,
)

_PAGE = 5000

_s, _u, _r = subnets.c, subnet_usage.c, free_ranges.c
_SUBNETS = Statement(
    select(*subnet_rows.COLUMNS)
    .where(_s.organization_id == own())
    .order_by(_s.vrf_id, _s.first, _s.prefix_length),
    subnet_rows.subnet,
)
_COUNTERS = Statement(
    select(_u.vrf_id, _u.first, _u.last, func.sum(_u.used))
    .where(_u.organization_id == own())
    .group_by(_u.vrf_id, _u.first, _u.last),
    lambda vrf_id, first, last, used: ((vrf_id, from_bytes(first), from_bytes(last)), int(used)),
)
_RANGES = Statement(
    select(_r.subnet_id, _r.first, _r.last, _r.host_bits)
    .where(_r.organization_id == own())
    .order_by(_r.subnet_id, _r.last),
    lambda subnet_id, first, last, host_bits: (
        subnet_id,
        (Span(from_bytes(first), from_bytes(last)), host_bits),
    ),
)


def _referring_to_nothing(column: str, table: Table) -> Statement[Subnet]:
    there = select(table.c.id).where(table.c.organization_id == own())
    return Statement(
        select(*subnet_rows.COLUMNS).where(
            _s.organization_id == own(), _s[column] != "", _s[column].not_in(there)
        ),
        subnet_rows.subnet,
    )


_DANGLING = [
    (noun, column, _referring_to_nothing(column, table))
    for noun, column, table in (
        ("the folder", "section_id", sections),
        ("the VRF", "vrf_id", vrfs),
        ("the VLAN", "vlan_id", vlans),
    )
]


@dataclass(frozen=True, slots=True)
class Drift:
    """Say what is stored and what it should be."""

    resource_id: str
    message: str


@dataclass(slots=True)
class _Open:
    """Be a subnet on the way up through its addresses."""

    subnet: Subnet
    used: int = 0
    holes: list[Span] = field(default_factory=list)
    children: list[Span] = field(default_factory=list)


def verify(tx: Transaction) -> Iterator[Drift]:
    """Recount one organization's inventory and give each difference from what is stored."""
    counters = dict(tx.all(_COUNTERS))
    ranges = {
        subnet_id: [filed for _, filed in group]
        for subnet_id, group in groupby(tx.all(_RANGES), key=lambda found: found[0])
    }
    sweep = _Sweep(tx)
    yield from sweep.drifts()
    yield from _dangling(tx)
    for done in sweep.closed:
        yield from _check_counter(done, counters)
        yield from _check_ranges(done, ranges.pop(done.subnet.id, []))
    for (_, first, last), used in counters.items():
        if used:
            message = f"counter of {used} for no subnet: {_text(Span(first, last))}"
            yield Drift("", message)
    for subnet_id in ranges:
        yield Drift(subnet_id, f"free ranges of no subnet: {subnet_id}")


def _dangling(tx: Transaction) -> Iterator[Drift]:
    """Give the subnets whose folder, VRF or VLAN is not there."""
    for noun, column, statement in _DANGLING:
        for subnet in tx.all(statement):
            named = getattr(subnet, column)
            yield Drift(
                subnet.id, f"subnet {subnet.network} is in {noun} {named}, which is not there"
            )


class _Sweep:
    """Walk subnets and addresses upward together, the open subnets on a stack."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._stack: list[_Open] = []
        self.closed: list[_Open] = []

    def drifts(self) -> Iterator[Drift]:
        subnets_left = iter(self._tx.all(_SUBNETS))
        upcoming = next(subnets_left, None)
        for address in self._addresses():
            place = (address.vrf_id, address.ip)
            while upcoming and (upcoming.vrf_id, upcoming.network.first) <= place:
                yield from self._open(upcoming)
                upcoming = next(subnets_left, None)
            yield from self._place(address)
        while upcoming:
            yield from self._open(upcoming)
            upcoming = next(subnets_left, None)
        self.closed += reversed(self._stack)

    def _addresses(self) -> Iterator[Address]:
        after: Any = ("", b"")
        while True:
            page = address_lists.rows(self._tx, {}, after=after, limit=_PAGE)
            for row in page:
                yield addresses.address(*row)
            if len(page) < _PAGE:
                return
            after = address_lists.place(page[-1])

    def _climb(self, vrf_id: str, address: int) -> _Open | None:
        while self._stack:
            top = self._stack[-1].subnet
            if top.vrf_id == vrf_id and address in top.network.span:
                return self._stack[-1]
            self.closed.append(self._stack.pop())
        return None

    def _open(self, subnet: Subnet) -> Iterator[Drift]:
        parent = self._climb(subnet.vrf_id, subnet.network.first)
        expected = parent.subnet.id if parent else NO_PARENT
        if subnet.parent_id != expected:
            yield Drift(
                subnet.id,
                f"subnet {subnet.network} has the parent {subnet.parent_id or None}, "
                f"not {expected or None}",
            )
        if parent:
            parent.holes.append(subnet.network.span)
            parent.children.append(subnet.network.span)
        self._stack.append(_Open(subnet))

    def _place(self, address: Address) -> Iterator[Drift]:
        home = self._climb(address.vrf_id, address.ip)
        expected = home.subnet.id if home else None
        if address.subnet_id != expected:
            yield Drift(
                address.id,
                f"address {format_address(address.ip)} is at home in {address.subnet_id}, "
                f"not in {expected}",
            )
        if home:
            home.used += 1
            home.holes.append(Span(address.ip, address.ip))


def _check_counter(done: _Open, counters: dict[Any, int]) -> Iterator[Drift]:
    network = done.subnet.network
    stored = counters.pop((done.subnet.vrf_id, network.first, network.last), 0)
    if stored != done.used:
        yield Drift(
            done.subnet.id, f"subnet {network} counts {stored} addresses, and has {done.used}"
        )


def _check_ranges(done: _Open, filed: list[tuple[Span, int]]) -> Iterator[Drift]:
    """Check that each free address is in a range, and no range leaves the subnet's own space."""
    subnet = done.subnet
    ranges = [span for span, _ in filed]
    for span, host_bits in filed:
        if span.size > 0 and span.host_bits != host_bits:
            message = f"subnet {subnet.network} has free ranges filed under a wrong size"
            yield Drift(subnet.id, f"{message}: {_text(span)}")
    own_spans = assignable(subnet.network, is_pool=subnet.is_pool, gateway=subnet.gateway)
    for lower, upper in pairwise(ranges):
        if upper.first <= lower.last:
            yield Drift(
                subnet.id, f"subnet {subnet.network} has free ranges that overlap: {_text(upper)}"
            )
    free = [left for span in own_spans for left in without(span, done.holes)]
    for lower, upper in pairwise(ranges):
        if upper.first == lower.last + 1 and _are_both_in_one(free, lower.last, upper.first):
            yield Drift(
                subnet.id, f"subnet {subnet.network} has free ranges that touch: {_text(upper)}"
            )
    for span in _uncovered(free, ranges):
        yield Drift(subnet.id, f"subnet {subnet.network} does not know as free: {_text(span)}")
    allowed = [left for span in own_spans for left in without(span, done.children)]
    for span in _uncovered(ranges, allowed):
        yield Drift(subnet.id, f"subnet {subnet.network} offers as free: {_text(span)}")


def _are_both_in_one(spans: list[Span], lower: int, upper: int) -> bool:
    """Tell whether one of the spans, which are in order, holds both addresses."""
    index = bisect_right(spans, lower, key=lambda span: span.first) - 1
    return index >= 0 and upper in spans[index]


def _uncovered(spans: list[Span], cover: list[Span]) -> Iterator[Span]:
    """Give what of the spans is in none of the cover; both in order."""
    index = 0
    for span in spans:
        while index < len(cover) and cover[index].last < span.first:
            index += 1
        holes: list[Span] = []
        at = index
        while at < len(cover) and cover[at].first <= span.last:
            holes.append(cover[at])
            at += 1
        yield from without(span, holes)


def _text(span: Span) -> str:
    if span.size == 1:
        return format_address(span.first)
    return f"{format_address(span.first)} to {format_address(span.last)}"
