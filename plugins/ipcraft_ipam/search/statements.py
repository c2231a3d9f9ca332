"""The statements of a search: candidates of one source, compared with all terms, the best first.

Each gives the number of its candidates, and beside it the rows found: their rank, then their
columns. Where there is none, the number stands alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    CTE,
    Column,
    ColumnElement,
    Integer,
    Select,
    Table,
    and_,
    func,
    select,
    true,
)

from ipcraft.plugin import Row, Statement, given, own
from ipcraft_ipam import addresses as address_rows
from ipcraft_ipam import subnets as subnet_rows
from ipcraft_ipam.search.candidates import filed, unfiled
from ipcraft_ipam.search.listing import one_of
from ipcraft_ipam.search.readings import RegisterName
from ipcraft_ipam.search.slots import Shape, slots
from ipcraft_ipam.search.walks import MOST
from ipcraft_ipam.tables import subnets


@dataclass(frozen=True, slots=True)
class Member:
    """Be a subnet of a VLAN or a folder: where it is."""

    id: str
    vrf_id: str
    first: bytes
    last: bytes


COLUMNS: Mapping[str, Sequence[Column[Any]]] = {
    "addresses": address_rows.COLUMNS,
    "subnets": subnet_rows.COLUMNS,
}
ORDER: Mapping[str, Sequence[str]] = {
    "addresses": ("vrf_id", "ip"),
    "subnets": ("vrf_id", "first", "prefix_length"),
}
"""The order of rows of one rank."""


def by_text(table: Table) -> Select[Any]:
    """Ask the index for texts. Parameters: those of `candidates.question`."""
    return filed(table)


def by_short_text(table: Table) -> Select[Any]:
    """Ask for texts that FTS5 has no trigram of."""
    return unfiled(table)


def by_mac_address(table: Table) -> Select[Any]:
    """Read addresses whose MAC address begins so."""
    return (
        select(table)
        .where(
            table.c.organization_id == own(),
            table.c.mac_address >= given("walk_first"),
            table.c.mac_address <= given("walk_last"),
        )
        .order_by(table.c.mac_address)
        .limit(MOST)
    )


def around(table: Table) -> Select[Any]:
    """Read the subnets that contain an address, in all VRFs."""
    return select(table).where(
        table.c.organization_id == own(), table.c.id.in_(subnet_rows.ANYWHERE)
    )


def by_vlan(table: Table) -> Select[Any]:
    """Read the subnets in VLANs. Parameters: `walk_ids` and `most_candidates`."""
    return _referring(table, "vlan_id")


def by_section(table: Table) -> Select[Any]:
    """Read the subnets in folders, likewise."""
    return _referring(table, "section_id")


def _referring(table: Table, name: str) -> Select[Any]:
    reference = table.c[name]
    return (
        select(table)
        .where(
            table.c.organization_id == own(),
            reference.is_not(None),  # PERF: the index has only these
            one_of(reference, "walk_ids"),
        )
        .limit(MOST)
    )


Source = Callable[[Table], Select[Any]]


@lru_cache(maxsize=256)
def statement(table: Table, source: Source, shape: Shape) -> Statement[Row]:
    """Give the statement of a source with slots of a shape. Further parameter: `limit`."""
    candidates = source(table).cte("candidate")
    found = _found(table, candidates, shape)
    count = select(func.count().label("number")).select_from(candidates).subquery("counted")
    columns = COLUMNS[table.name]
    itself = and_(table.c.organization_id == own(), table.c.id == found.c.id)
    order = [table.c[name] for name in ORDER[table.name]]
    return Statement(
        select(count.c.number, found.c.rank, *columns)
        .select_from(count)
        .outerjoin(found, true())
        .outerjoin(table, itself)
        .order_by(found.c.rank, *order)
    )


def _found(table: Table, candidates: CTE, shape: Shape) -> CTE:
    each = slots(table.name, candidates, shape)
    rank: ColumnElement[int] = sum((slot.rank for slot in each[1:]), each[0].rank).label("rank")
    order = [candidates.c[name] for name in ORDER[table.name]]
    # APPSEC: the rows shown are read anew from the table, where row-level security looks at them.
    return (
        select(candidates.c.id, rank)
        .where(
            candidates.c.organization_id == own(),
            *(slot.condition for slot in each),
        )
        .order_by(rank, *order)
        .limit(given("limit", Integer()))
        .cte("found")
    )


def _members(name: str) -> Statement[Member]:
    """Find subnets in VLANs or folders, some of them. Parameters: `walk_ids`, `most_candidates`."""
    found = _referring(subnets, name).subquery("member").c
    return Statement(select(found.id, found.vrf_id, found.first, found.last), Member)


MEMBERS: Mapping[RegisterName, Statement[Member]] = {
    "vlan": _members("vlan_id"),
    "section": _members("section_id"),
}
"""The subnets in VLANs and in folders."""
