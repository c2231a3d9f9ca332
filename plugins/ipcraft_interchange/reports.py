"""Reports: what became of each row, counted, and packed for keeping."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from ipcraft_interchange.entries import KINDS
from ipcraft_interchange.intake import Reading
from ipcraft_interchange.staging import Outcome, Reported, Staging

OUTCOMES: tuple[Outcome, ...] = ("created", "changed", "skipped", "refused")

WORDS: Mapping[str | None, str] = {
    "folder": "sections",
    "vrf": "vrfs",
    "vlan": "vlans",
    "subnet": "subnets",
    "address": "addresses",
    None: "unread",
}
"""What the kinds are called in counts, as their lists are; rows that are of none come last."""

Counts = Mapping[str, Mapping[str, int]]
"""For each kind, and for all together, how many rows came to what."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Be the report in short."""

    counts: Counts
    notes: Sequence[str]
    """What the files say that IPCraft does not keep, and how they were read."""

    @property
    def refused(self) -> int:
        """Give how many rows are refused."""
        return self.counts["total"]["refused"]

    @property
    def total(self) -> int:
        """Give how many rows there are."""
        return sum(self.counts["total"].values())


def summary(staging: Staging, documents: Sequence[Reading]) -> Summary:
    """Sum up what is known of the rows."""
    counts: dict[str, dict[str, int]] = {"total": dict.fromkeys(OUTCOMES, 0)}
    found = staging.counts()
    for kind in (*KINDS, None):
        of_kind: dict[str, int] = {each: found.get((kind, each), 0) for each in OUTCOMES}
        if any(of_kind.values()):
            counts[WORDS[kind]] = of_kind
        for outcome, count in of_kind.items():
            counts["total"][outcome] += count
    notes = [
        f"{document.name}: read as {document.importer.title} ({document.described})"
        for document in documents
        if document.importer
    ]
    return Summary(counts, [*notes, *(note for document in documents for note in document.notes())])


def row_object(
    row: Reported, documents: Sequence[Reading], vrfs: Mapping[int, str]
) -> dict[str, Any]:
    """Show a row of the report, with the file's own names of columns."""
    document = documents[row.file]
    return {
        "file": document.name,
        "line": row.line,
        "column": document.column_of(row.kind, row.field),
        "kind": row.kind,
        "label": row.label,
        "vrf": vrfs.get(row.space) if row.kind in ("subnet", "address") else None,
        "outcome": row.outcome,
        "reason": row.reason,
        "changes": list(row.changes),
    }


def pack(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Write rows of a report for keeping."""
    return zlib.compress(orjson.dumps(list(rows)), 1)


def unpack(packed: bytes) -> list[dict[str, Any]]:
    """Read what `pack` wrote."""
    rows: list[dict[str, Any]] = orjson.loads(zlib.decompress(packed))
    return rows
