"""What clients see of imports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypedDict

from msgspec import Meta

from ipcraft.plugin import Timestamp, rfc3339
from ipcraft_interchange.imports import State, StoredImport
from ipcraft_interchange.staging import Outcome

Name = Annotated[str, Meta(examples=["prefixes.csv"])]


class ProgressObject(TypedDict):
    """How far an import is."""

    phase: Literal["reading", "checking", "writing"] | None
    done: Annotated[int, Meta(ge=0, examples=[90])]
    total: Annotated[int, Meta(ge=0, examples=[90])] | None


Counts = Annotated[
    Mapping[str, Mapping[str, int]],
    Meta(
        description="For each kind, and for all together, how many rows come to what.",
        examples=[{"total": {"created": 89, "changed": 0, "skipped": 0, "refused": 1}}],
    ),
]


class ImportObject(TypedDict):
    """An import: what was uploaded, how far it is, and the report in short."""

    id: Annotated[str, Meta(examples=["job_01m8mx9a8eeex9jf5awy145j01"])]
    files: list[Name]
    size: Annotated[int, Meta(ge=0, description="Bytes.", examples=[7011])]
    format: Annotated[str, Meta(examples=["netbox-csv"])] | None
    section: Annotated[str, Meta(examples=["Berlin"])] | None
    vrf: Annotated[str, Meta(examples=["Blue"])] | None
    columns: Annotated[Mapping[str, str], Meta(examples=[{"ip": "Address"}])]
    state: State
    run: bool
    skip_bad_rows: bool
    progress: ProgressObject
    counts: Counts | None
    notes: list[Annotated[str, Meta(examples=["prefixes.csv: tenant of 68 rows is not kept"])]]
    reason: Annotated[str, Meta(description="Why it failed.")] | None
    user_id: Annotated[str, Meta(examples=["usr_01m8mx9a8eeex9jf5aware6z3g"])] | None
    created_at: Timestamp
    updated_at: Timestamp
    finished_at: Timestamp | None


class RowObject(TypedDict):
    """What becomes of a row."""

    file: Name | None
    line: Annotated[int, Meta(examples=[17])]
    column: Annotated[str, Meta(examples=["prefix"])] | None
    kind: Literal["folder", "vrf", "vlan", "subnet", "address"] | None
    label: Annotated[str, Meta(examples=["10.112.0.0/15"])]
    vrf: Annotated[str, Meta(examples=["Blue"])] | None
    outcome: Outcome
    reason: Annotated[str, Meta(examples=["line 3 has the same network"])] | None
    changes: list[Annotated[str, Meta(examples=["description"])]]


def import_object(stored: StoredImport) -> ImportObject:
    """Show an import: how far it is, and the report in short."""
    summary = stored.summary
    return {
        "id": stored.id,
        "files": list(stored.files),
        "size": stored.size,
        "format": stored.choices.get("format"),
        "section": stored.choices.get("section"),
        "vrf": stored.choices.get("vrf"),
        "columns": stored.choices.get("columns", {}),
        "state": stored.state,
        "run": stored.run,
        "skip_bad_rows": stored.skip_bad_rows,
        "progress": {
            "phase": stored.phase,
            "done": stored.done,
            "total": summary.total if summary else None,
        },
        "counts": dict(summary.counts) if summary else None,
        "notes": list(summary.notes) if summary else [],
        "reason": stored.reason,
        "user_id": stored.user_id,
        "created_at": rfc3339(stored.created_at),
        "updated_at": rfc3339(stored.updated_at),
        "finished_at": None if stored.finished_at is None else rfc3339(stored.finished_at),
    }
