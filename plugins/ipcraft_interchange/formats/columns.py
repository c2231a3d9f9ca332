"""Columns: finding the fields of an entry in a table, by any of the names that they go by."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ipcraft_interchange.entries import Entry, Found, Kind, Problem, Unkept
from ipcraft_interchange.files.documents import Document
from ipcraft_interchange.files.tables import Row

Synonyms = Mapping[str, Sequence[str]]
"""For fields, the names their columns may have, as `plain` writes them."""

_DROPPED = str.maketrans("", "", "*_ -")


def plain(name: str) -> str:
    """Write a column's name without what differs between spellings: case, spaces, stars."""
    return name.translate(_DROPPED).lower()


@dataclass(frozen=True, slots=True)
class Layout:
    """Say where in a row the fields are."""

    places: Sequence[tuple[str, int]]
    """Fields with their indexes."""
    others: Sequence[tuple[str, int]]
    """The names of columns that are no field's, with their indexes."""
    names: Mapping[str, str]
    """What the file calls the fields."""

    @classmethod
    def of(
        cls,
        header: Sequence[str],
        synonyms: Synonyms,
        *,
        ignored: Sequence[str] = (),
        mapped: Mapping[str, str] | None = None,
    ) -> Layout:
        """Find each field's column: the one that is `mapped` to it, or the first synonym.

        `ignored` columns say nothing that could be lost, such as the other system's ids.
        """
        spelled = {plain(name): index for index, name in reversed(list(enumerate(header)))}
        exact = {name: index for index, name in enumerate(header)}
        places: dict[str, int] = {}
        for field, column in (mapped or {}).items():
            places[field] = exact.get(column, spelled.get(plain(column), -1))
        for field, names in synonyms.items():
            found = next((spelled[name] for name in names if name in spelled), None)
            if found is not None and found not in places.values():
                places.setdefault(field, found)
        known = {*places.values()}
        others = [
            (name, index)
            for index, name in enumerate(header)
            if index not in known and plain(name) not in ignored and name
        ]
        return cls(
            [(field, index) for field, index in places.items() if index >= 0],
            others,
            {field: header[index] for field, index in places.items() if index >= 0},
        )

    def values(self, cells: Sequence[str]) -> dict[str, str]:
        """Give what a row says: the fields that are not empty, stripped."""
        width = len(cells)
        return {
            field: text
            for field, index in self.places
            if index < width and (text := cells[index].strip())
        }

    def lost(self, cells: Sequence[str]) -> list[str]:
        """Give the names of the columns that are no field's and say something in this row."""
        width = len(cells)
        return [name for name, index in self.others if index < width and cells[index].strip()]


Convert = Callable[[dict[str, Any], list[str]], Mapping[str, Any] | str | None]
"""Make an entry's values of those found, adding to what is lost; a text says what is not kept."""


def as_is(values: dict[str, Any], lost: list[str]) -> Mapping[str, Any]:
    """Leave values as they are."""
    return values


def table_entries(
    document: Document,
    kind: Kind,
    synonyms: Synonyms,
    *,
    convert: Convert = as_is,
    ignored: Sequence[str] = (),
) -> Iterator[Found]:
    """Give an entry of one kind for each row below the header."""
    rows = document.rows()
    layout: Layout | None = None
    for row in rows:
        if not isinstance(row, Row):
            yield row
        elif layout is None:
            layout = Layout.of([cell.strip() for cell in row.cells], synonyms, ignored=ignored)
        else:
            yield entry(kind, row, layout, convert)


def entry(kind: Kind, row: Row, layout: Layout, convert: Convert) -> Found:
    """Give the entry of a row."""
    lost = layout.lost(row.cells)
    values = convert(layout.values(row.cells), lost)
    if values is None:
        return Problem(row.line, "the row says too little")
    if isinstance(values, str):
        return Unkept(row.line, values)
    return Entry(kind, values, row.line, layout.names, lost)


def with_mask(values: dict[str, Any], field: str = "network") -> dict[str, Any]:
    """Join a network (or an address) with the mask that stands in a column of its own."""
    mask = values.pop("mask", None)
    text = values.get(field)
    if mask and isinstance(text, str) and "/" not in text:
        values[field] = f"{text}/{mask.lstrip('/')}"
    return values
