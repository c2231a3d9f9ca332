"""Looking up which VLANs, VRFs and folders a search means.

The one that is called so is meant, or has the id; when there is none, all that have the text in
their name. A VLAN's number is all of it or nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Integer, Table, or_, select

from ipcraft.plugin import Reader, Statement, did_you_mean, given, own
from ipcraft_ipam.search.grammar import Term
from ipcraft_ipam.search.readings import RegisterName, RegisterReading
from ipcraft_ipam.searchable import fold
from ipcraft_ipam.tables import GLOBAL_VRF, sections, vlans, vrfs

GLOBAL = "global"
"""What the VRF is called that has no record, unless one is called so."""

_MOST_FIELDS = 2
_MOST_NAMES = 1_000
"""Names that are compared with one that there is not."""


@dataclass(frozen=True, slots=True)
class _Named:
    """Be a record that may be meant, and whether it is called just so."""

    id: str
    label: str
    is_exact: bool

    @classmethod
    def of_row(cls, id_: str, is_exact: bool | None, *label: Any) -> _Named:  # noqa: FBT001
        """Make it of a row whose further columns are what it is called."""
        return cls(id_, " ".join(map(str, label)), bool(is_exact))


def look_up(reader: Reader, terms: Sequence[Term]) -> tuple[Term, ...]:
    """Give the terms with the records that are meant; hint at others where there are none."""
    return tuple(_looked_up(reader, term) for term in terms)


def _looked_up(reader: Reader, term: Term) -> Term:
    reading = term.readings[0]
    if not isinstance(reading, RegisterReading):
        return term
    found = _meant(reader, reading)
    known = replace(
        reading,
        ids=tuple(each.id for each in found),
        labels=tuple(each.label for each in found),
    )
    return replace(term, readings=(known,), hint=None if found else _hint(reader, reading))


def _meant(reader: Reader, reading: RegisterReading) -> Sequence[_Named]:
    found = reader.all(_CALLED[reading.register], **_parameters(reading))
    exact = [each for each in found if each.is_exact]
    if exact or reading.fields == ("number",):
        return exact
    if reading.register == "vrf" and reading.text == GLOBAL:
        return [_Named(GLOBAL_VRF, f"{GLOBAL} (none)", is_exact=True)]
    return found


def _parameters(reading: RegisterReading) -> dict[str, str | None]:
    parameters: dict[str, str | None] = {"called": reading.text}
    for index in range(_MOST_FIELDS):
        parameters |= {f"like_{index}": None, f"equals_{index}": None}
    for index, pattern in enumerate(reading.patterns):
        parameters[f"like_{index}"] = pattern.like
        parameters[f"equals_{index}"] = replace(pattern, how="equals").like
    return parameters


def _hint(reader: Reader, reading: RegisterReading) -> str:
    noun = f"{reading.noun} {reading.text}"
    names = reader.all(_NAMES[reading.register], limit=_MOST_NAMES)
    return f"there is no {noun}{did_you_mean(reading.text, map(fold, names))}"


def _called(table: Table, *label: ColumnElement[Any]) -> Statement[_Named]:
    c = table.c
    exact = [c.id == given("called"), *_texts(table, "equals")]
    return Statement(
        select(c.id, or_(*exact).label("is_exact"), *label)
        .where(c.organization_id == own(), or_(*exact, *_texts(table, "like")))
        .order_by(*label, c.id),
        _Named.of_row,
    )


def _texts(table: Table, name: str) -> Iterator[ColumnElement[bool]]:
    text = table.c.search_text
    return (text.like(given(f"{name}_{index}"), escape="\\") for index in range(_MOST_FIELDS))


def _names(table: Table) -> Statement[str]:
    names = select(table.c.name).where(table.c.organization_id == own())
    return Statement(names.limit(given("limit", Integer())), str)


_LABELS: Mapping[RegisterName, Sequence[ColumnElement[Any]]] = {
    "vlan": (vlans.c.number, vlans.c.name),
    "vrf": (vrfs.c.name,),
    "section": (sections.c.name,),
}
_TABLES: Mapping[RegisterName, Table] = {"vlan": vlans, "vrf": vrfs, "section": sections}
_CALLED = {name: _called(table, *_LABELS[name]) for name, table in _TABLES.items()}
_NAMES = {name: _names(table) for name, table in _TABLES.items()}
