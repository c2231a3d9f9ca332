"""Finding VLANs, VRFs and folders themselves.

They are few next to what they hold, so that all of an organization are compared, in one statement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Integer,
    Select,
    Table,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.types import TypeEngine

from ipcraft.plugin import ExactText, Reader, Row, Seconds, Statement, given, own
from ipcraft_ipam.search.grammar import Term
from ipcraft_ipam.search.kinds import readings_of
from ipcraft_ipam.search.slots import Shape, shape_of, slots, values
from ipcraft_ipam.sections import Section
from ipcraft_ipam.tables import sections, vlans, vrfs
from ipcraft_ipam.vlans import Vlan
from ipcraft_ipam.vrfs import Vrf

_COLUMNS: Mapping[str, TypeEngine[Any]] = {
    "id": ExactText,
    "number": Integer(),
    "name": ExactText,
    "rd": ExactText,
    "description": ExactText,
    "sort_order": Integer(),
    "created_at": Seconds,
    "updated_at": Seconds,
    "search_text": ExactText,
}
"""The columns of all registers; one that has not a column has null there."""


@dataclass(frozen=True, slots=True)
class Registered:
    """Be the VLANs, VRFs and folders found, the best of each first."""

    vlans: list[Vlan] = field(default_factory=list[Vlan])
    vrfs: list[Vrf] = field(default_factory=list[Vrf])
    sections: list[Section] = field(default_factory=list[Section])


def find_registered(reader: Reader, terms: Sequence[Term], *, limit: int) -> Registered:
    """Give up to `limit` of each that match all terms."""
    readings = [readings_of("registers", term) for term in terms]
    found = Registered()
    if not all(readings):
        return found
    rows = reader.all(
        _statement(shape_of("registers", readings)), **values("registers", readings), limit=limit
    )
    for register, *row in rows:
        _add(found, register, *row)
    return found


def _add(
    found: Registered,
    register: str,
    id_: str,
    number: int | None,
    name: str,
    rd: str | None,
    description: str | None,
    sort_order: int | None,
    created_at: int,
    updated_at: int,
) -> None:
    times = {"created_at": created_at, "updated_at": updated_at}
    if register == "vlans":
        found.vlans.append(Vlan(id_, number or 0, name, description, **times))
    elif register == "vrfs":
        found.vrfs.append(Vrf(id_, name, rd, description, **times))
    else:
        found.sections.append(Section(id_, name, description, sort_order or 0, **times))


@lru_cache
def _statement(shape: Shape) -> Statement[Row]:
    rows = _every().subquery("registered")
    each = slots("registers", rows, shape)
    rank: ColumnElement[int] = sum((slot.rank for slot in each[1:]), each[0].rank)
    order = (rank, rows.c.number, rows.c.name, rows.c.id)
    place = func.row_number().over(partition_by=rows.c.register, order_by=order)
    shown = [column for column in rows.c if column.name != "search_text"]
    found = (
        select(*shown, place.label("place"))
        .where(*(slot.condition for slot in each))
        .subquery("found")
    )
    return Statement(
        select(*(found.c[column.name] for column in shown))
        .where(found.c.place <= given("limit", Integer()))
        .order_by(found.c.register, found.c.place)
    )


def _every() -> CompoundSelect[Any]:
    return union_all(*(_records(table) for table in (vlans, vrfs, sections)))


def _records(table: Table) -> Select[Any]:
    columns = [
        table.c[name] if name in table.c else sql_cast(null(), kind).label(name)
        for name, kind in _COLUMNS.items()
    ]
    register = literal(table.name, ExactText).label("register")
    return select(register, *columns).where(table.c.organization_id == own())
