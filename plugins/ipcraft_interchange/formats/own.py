"""What IPCraft exports: CSV with one file per kind, and one JSON document.

An export says everything, so that what it leaves empty is empty. Import takes the ids in it for
references between the files; a thing keeps its id only where it still exists.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ipcraft_interchange.entries import Broken, Entry, Found, Kind, Problem
from ipcraft_interchange.files.documents import Document
from ipcraft_interchange.files.tables import Row
from ipcraft_interchange.formulas import restored
from ipcraft_interchange.importers import Importer, Mapped

MARK = "ipcraft_export"
"""The key that an exported JSON document begins with; its value is the version."""

VERSION = 1

FILES: Mapping[str, Kind] = {
    "sections": "folder",
    "vrfs": "vrf",
    "vlans": "vlan",
    "subnets": "subnet",
    "addresses": "address",
}
"""The files of an export and the lists of the document, in their order, with their kinds."""

COLUMNS: Mapping[Kind, tuple[str, ...]] = {
    "folder": ("id", "name", "description", "sort_order", "created_at", "updated_at"),
    "vrf": ("id", "name", "rd", "description", "created_at", "updated_at"),
    "vlan": ("id", "number", "name", "description", "created_at", "updated_at"),
    "subnet": (
        "id",
        "network",
        "vrf",
        "section",
        "vlan",
        "name",
        "description",
        "gateway",
        "is_pool",
        "vrf_id",
        "section_id",
        "vlan_id",
        "created_at",
        "updated_at",
    ),
    "address": (
        "id",
        "ip",
        "vrf",
        "hostname",
        "mac_address",
        "description",
        "status",
        "owner",
        "vrf_id",
        "created_at",
        "updated_at",
    ),
}
"""The columns of each file; `vrf`, `section` and `vlan` are names, for those who read it."""

_TOLD_ONLY = {"created_at", "updated_at"}
_ROW_IDS = {"subnet", "address"}
"""Kinds that are found by their network or address; their ids are told only."""

_REFERENCES = ("vrf", "section", "vlan")
_KINDS: Mapping[tuple[str, ...], Kind] = {columns: kind for kind, columns in COLUMNS.items()}


def _is_table(document: Document) -> bool:
    return document.header in _KINDS


def _read_table(document: Document, mapped: Mapped) -> Iterator[Found]:
    kind = _KINDS.get(document.header)
    if kind is None:
        raise Broken("these are not the columns of an export", line=1)
    columns = COLUMNS[kind]
    kept = [(name, index) for index, name in enumerate(columns) if _is_kept(kind, name)]
    is_header = True
    for row in document.rows():
        if not isinstance(row, Row):
            yield row
        elif is_header:
            is_header = False
        elif len(row.cells) != len(columns):
            yield Problem(row.line, f"the row has {len(row.cells)} cells, not {len(columns)}")
        else:
            values = {name: restored(row.cells[index]) for name, index in kept}
            yield Entry(kind, _without_doubles(values), row.line)


def _is_document(document: Document) -> bool:
    return any(item.key == MARK for item in document.sample[:1])


def _read_document(document: Document, mapped: Mapped) -> Iterator[Found]:
    for item in document.items():
        if item.key == MARK:
            if item.value != VERSION:
                raise Broken(
                    f"the export has version {item.value!r:.20}, and {VERSION} is read",
                    line=item.line,
                    column=str(item.column),
                )
            continue
        kind = FILES.get(item.key)
        if kind is None or item.index is None:
            message = f"an export has no {item.path!r:.64}"
            yield Problem(item.line, message, str(item.column))
            continue
        value = item.value
        if not isinstance(value, dict):
            yield Problem(item.line, f"{item.path} must be an object", str(item.column))
            continue
        unknown = [name for name in value if name not in COLUMNS[kind]]
        values = {name: each for name, each in value.items() if _is_kept(kind, name)}
        for name in unknown:
            values.pop(name, None)
        yield Entry(kind, _without_doubles(values), item.line, lost=unknown)


def _is_kept(kind: Kind, name: str) -> bool:
    return name not in _TOLD_ONLY and not (name == "id" and kind in _ROW_IDS)


def _without_doubles(values: dict[str, Any]) -> dict[str, Any]:
    """Drop the names of references that have neither id nor name: they are none."""
    for name in _REFERENCES:
        if name in values and values[name] is None:
            del values[name]
    return values


OWN: Sequence[Importer] = (
    Importer("ipcraft-csv", "IPCraft's export as CSV", _is_table, _read_table),
    Importer("ipcraft-json", "IPCraft's export as JSON", _is_document, _read_document),
)
