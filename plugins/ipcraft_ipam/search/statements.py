"""The statements of a search: candidates of one source, compared with all terms, the best first.

Each gives the number of its candidates, and beside it the rows found: their rank, then their
columns. Where there is none, the number stands alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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

from ipcraft.plugin import AddressBytes, Row, Statement, given, own
from ipcraft_ipam import addresses as address_rows
from ipcraft_ipam import subnets as subnet_rows
from ipcraft_ipam.search.candidates import filed, unfiled
from ipcraft_ipam.search.slots import slots
from ipcraft_ipam.tables import addresses, subnets

_a, _s = addresses.c, subnets.c
COLUMNS: Mapping[str, Sequence[Column[Any]]] = {
    "addresses": address_rows.COLUMNS,
    "subnets": subnet_rows.COLUMNS,
}
ORDER: Mapping[str, Sequence[str]] = {
    "addresses": ("vrf_id", "ip"),
    "subnets": ("vrf_id", "first", "prefix_length"),
}
"""The order of rows of one rank."""

_MOST = given("most_candidates", Integer())
_FIRST, _LAST = given("walk_first", AddressBytes), given("walk_last", AddressBytes)


def by_text(table: Table) -> Select[Any]:
    """Ask the index for texts. Parameters: those of `candidates.question`."""
    return filed(table)


def by_short_text(table: Table) -> Select[Any]:
    """Ask for texts that FTS5 has no trigram of."""
    return unfiled(table)


def by_place(table: Table) -> Select[Any]:
    """Walk a range of addresses or of networks in a VRF, from its start, so far and no further."""
    c = table.c
    start = c.ip if table is addresses else c.first
    order = [start] if table is addresses else [start, c.prefix_length]
    return (
        select(table)
        .where(
            c.organization_id == own(),
            c.vrf_id == given("walk_vrf_id"),
            start.between(_FIRST, _LAST),
        )
        .order_by(*order)
        .limit(_MOST)
    )


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
        .limit(_MOST)
    )


def around(table: Table) -> Select[Any]:
    """Read the subnets that contain an address, in all VRFs."""
    return select(table).where(_s.organization_id == own(), _s.id.in_(subnet_rows.ANYWHERE))


Source = Callable[[Table], Select[Any]]


@lru_cache
def statement(table: Table, source: Source, size: int) -> Statement[Row]:
    """Give the statement of a source with so many slots. Further parameter: `limit`."""
    candidates = source(table).cte("candidate")
    found = _found(table, candidates, size)
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


def _found(table: Table, candidates: CTE, size: int) -> CTE:
    each = slots(table, candidates, size)
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


def _vrfs() -> Statement[str]:
    """Find the VRFs that have subnets: one look into the index for each."""
    lowest = select(func.min(_s.vrf_id).label("vrf_id")).where(_s.organization_id == own())
    found = lowest.cte("vrf", recursive=True)
    next_one = (
        select(func.min(_s.vrf_id))
        .where(_s.organization_id == own(), _s.vrf_id > found.c.vrf_id)
        .correlate(found)
        .scalar_subquery()
    )
    found = found.union_all(select(next_one).where(found.c.vrf_id.is_not(None)))
    return Statement(select(found.c.vrf_id).where(found.c.vrf_id.is_not(None)), str)


VRFS = _vrfs()
"""The ids of the VRFs that have subnets, in order."""
