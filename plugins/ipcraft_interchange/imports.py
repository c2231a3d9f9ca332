"""Imports as they are kept: asked for, looked at, run, forgotten."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from sqlalchemy import BigInteger, ColumnElement, Integer, delete, func, insert, or_, select, update

from ipcraft.plugin import (
    Change,
    Conflict,
    CountedPage,
    Invalid,
    NotFound,
    Reader,
    Row,
    Statement,
    Transaction,
    given,
    new_id,
    own,
)
from ipcraft_interchange.importing import Phase
from ipcraft_interchange.reports import Summary, pack, unpack
from ipcraft_interchange.staging import Outcome
from ipcraft_interchange.tables import import_pieces, import_reports, imports

State = Literal["checking", "checked", "running", "done", "failed"]

UNDER_WAY: tuple[State, ...] = ("checking", "running")
"""States in which a job is at it."""

_WAITING: tuple[State, ...] = ("checking", "checked", "running", "failed")
_RUNNABLE: tuple[State, ...] = ("checked", "failed")

_i, _p, _r = imports.c, import_pieces.c, import_reports.c


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredImport:
    """Be an import as stored; times are seconds since the epoch."""

    id: str
    files: tuple[str, ...]
    size: int
    choices: Mapping[str, Any]
    state: State
    run: bool
    skip_bad_rows: bool
    phase: Phase | None
    done: int
    summary: Summary | None
    reason: str | None
    user_id: str | None
    created_at: int
    updated_at: int
    finished_at: int | None


def _is_one_of(states: Sequence[State]) -> ColumnElement[bool]:
    return or_(*(_i.state == state for state in states))


_COLUMNS = tuple(_i[name] for name in StoredImport.__dataclass_fields__)


def _stored(*row: Any) -> StoredImport:
    values = dict(zip(StoredImport.__dataclass_fields__, row, strict=True))
    summary = values["summary"]
    return StoredImport(
        **{
            **values,
            "files": tuple(json.loads(values["files"])),
            "choices": json.loads(values["choices"]),
            "run": bool(values["run"]),
            "skip_bad_rows": bool(values["skip_bad_rows"]),
            "summary": None if summary is None else Summary(**json.loads(summary)),
        }
    )


_BY_ID = (_i.organization_id == own(), _i.id == given("id"))
_ONE = Statement(select(*_COLUMNS).where(*_BY_ID), _stored)
_ONE_TO_CHANGE = Statement(select(*_COLUMNS).where(*_BY_ID).with_for_update(), _stored)
_LIST = Statement(
    select(*_COLUMNS).where(_i.organization_id == own()).order_by(_i.id.desc()), _stored
)
_PAGE = CountedPage(
    select(*_COLUMNS).where(_i.organization_id == own()),
    order=[_i.id.desc()],
    total=select(func.count())
    .select_from(imports)
    .where(_i.organization_id == own())
    .scalar_subquery(),
    into=_stored,
)
_COUNT_WAITING = Statement(
    select(func.count())
    .select_from(imports)
    .where(_i.organization_id == own(), _is_one_of(_WAITING))
)
_INSERT = Statement(insert(imports))
_CHANGING = ("state", "run", "skip_bad_rows", "phase", "done", "summary", "reason", "finished_at")
_UPDATE = Statement(
    update(imports)
    .where(*_BY_ID)
    .values({name: given(f"new_{name}", _i[name].type) for name in (*_CHANGING, "updated_at")})
)
_ADVANCE = Statement(
    update(imports)
    .where(*_BY_ID, _i.state == given("in_state"))
    .values(
        phase=given("new_phase"),
        done=given("new_done", BigInteger()),
        updated_at=given("now", BigInteger()),
    )
)
_DELETE = Statement(delete(imports).where(*_BY_ID))
_ADD_PIECE = Statement(insert(import_pieces))
_PIECE = Statement(
    select(_p.body).where(
        _p.organization_id == own(),
        _p.import_id == given("id"),
        _p.file == given("file", Integer()),
        _p.number == given("number", Integer()),
    )
)
_DROP_PIECES = Statement(
    delete(import_pieces).where(_p.organization_id == own(), _p.import_id == given("id"))
)
_ADD_REPORT = Statement(insert(import_reports))
_DROP_REPORT = Statement(
    delete(import_reports).where(_r.organization_id == own(), _r.import_id == given("id"))
)
_COUNTS = Statement(
    select(_r.number, _r.created, _r.changed, _r.skipped, _r.refused)
    .where(_r.organization_id == own(), _r.import_id == given("id"))
    .order_by(_r.number)
)
_REPORT = Statement(
    select(_r.body).where(
        _r.organization_id == own(),
        _r.import_id == given("id"),
        _r.number == given("number", Integer()),
    )
)
_OLD = Statement(
    select(_i.organization_id, _i.id).where(_i.updated_at < given("before", BigInteger()))
)
_STALE = Statement(
    select(_i.organization_id, _i.id).where(
        _is_one_of(UNDER_WAY), _i.updated_at < given("before", BigInteger())
    )
)


def create(
    tx: Transaction,
    *,
    files: Sequence[str],
    size: int,
    choices: Mapping[str, Any],
    run: bool,
    skip_bad_rows: bool,
    most_waiting: int,
) -> StoredImport:
    """Add an import that is to be checked. Raises `Invalid` when too many wait already."""
    tx.lock("imports")
    if tx.value(_COUNT_WAITING) >= most_waiting:
        raise Invalid(
            f"{most_waiting} imports are not run yet: run or delete one of them first",
            code="too_many_imports",
        )
    made = StoredImport(
        id=new_id("job"),
        files=tuple(files),
        size=size,
        choices=choices,
        state="checking",
        run=run,
        skip_bad_rows=skip_bad_rows,
        phase=None,
        done=0,
        summary=None,
        reason=None,
        user_id=tx.actor,
        created_at=tx.now,
        updated_at=tx.now,
        finished_at=None,
    )
    tx.record(_change("created", made, {"files": list(made.files), "size": size}))
    tx.write(_INSERT, **_row(made))
    return made


def add_pieces(tx: Transaction, import_id: str, file: int, pieces: Iterable[bytes]) -> None:
    """Keep one of the files."""
    for number, body in enumerate(pieces):
        tx.execute(_ADD_PIECE, import_id=import_id, file=file, number=number, body=body)


def piece(tx: Reader, import_id: str, *, file: int, number: int) -> bytes | None:
    """Give a piece of a file, None behind the last one."""
    body = tx.value(_PIECE, id=import_id, file=file, number=number)
    return None if body is None else bytes(body)


def get(tx: Reader, import_id: str) -> StoredImport:
    """Give an import. Raises `NotFound`."""
    return _found(tx.one(_ONE, id=import_id))


def listed(tx: Reader) -> list[StoredImport]:
    """Give all imports, the newest first."""
    return tx.all(_LIST)


def page_of(tx: Reader, *, limit: int, offset: int) -> tuple[list[StoredImport], int]:
    """Give up to `limit` imports after `offset` ones, and how many there are in all."""
    return _PAGE.read(tx, limit=limit, offset=offset)


def begin(tx: Transaction, import_id: str, *, skip_bad_rows: bool) -> StoredImport:
    """Have a checked import written, and one that failed before it was checked checked first.

    Raises `NotFound`, `Conflict`, and `Invalid` for bad rows.
    """
    old = _found(tx.one(_ONE_TO_CHANGE, id=import_id))
    if old.state not in _RUNNABLE:
        raise Conflict(f"the import is {old.state}: only one that is checked can be run")
    refused = old.summary.refused if old.summary else 0
    if refused and not skip_bad_rows:
        raise Invalid(
            f"{refused} row{'' if refused == 1 else 's'} would be refused: mend the file, or run "
            "it with skip_bad_rows",
            code="rows_refused",
        )
    return change(
        tx,
        old,
        state="running" if old.summary else "checking",
        run=True,
        skip_bad_rows=skip_bad_rows,
        phase=None,
        done=0,
        reason=None,
    )


def change(tx: Transaction, old: StoredImport, **values: Any) -> StoredImport:
    """Move an import on, and record it."""
    new = replace(old, **values, updated_at=tx.now)
    tx.record(_change("updated", new, {"state": new.state}, before={"state": old.state}))
    tx.write(
        _UPDATE,
        id=new.id,
        **{f"new_{name}": _row(new)[name] for name in (*_CHANGING, "updated_at")},
    )
    return new


def advance(tx: Transaction, stored: StoredImport, *, phase: str, done: int) -> bool:
    """Note how far an import is; tell whether it is still to go on."""
    return (
        tx.execute(
            _ADVANCE,
            id=stored.id,
            in_state=stored.state,
            new_phase=phase,
            new_done=done,
            now=tx.now,
        )
        > 0
    )


def find_to_change(tx: Transaction, import_id: str) -> StoredImport | None:
    """Give an import that nobody else changes until the commit, or None."""
    return tx.one(_ONE_TO_CHANGE, id=import_id)


def forget(tx: Transaction, import_id: str) -> None:
    """Forget an import, its files and its report, if it is there; one under way stops."""
    old = find_to_change(tx, import_id)
    if old is None:
        return
    tx.record(_change("deleted", old, {}, before={"state": old.state}))
    drop_files(tx, import_id)
    drop_report(tx, import_id)
    tx.write(_DELETE, id=import_id)


def remove(tx: Transaction, import_id: str) -> None:
    """Forget an import on request. Raises `NotFound`."""
    get(tx, import_id)
    forget(tx, import_id)


def drop_files(tx: Transaction, import_id: str) -> None:
    """Forget what was uploaded."""
    tx.write(_DROP_PIECES, id=import_id)


def drop_report(tx: Transaction, import_id: str) -> None:
    """Forget the rows of a report."""
    tx.write(_DROP_REPORT, id=import_id)


def add_report(
    tx: Transaction, import_id: str, pages: Iterable[Sequence[Mapping[str, Any]]]
) -> None:
    """Keep the rows of a report."""
    for number, rows in enumerate(pages):
        outcomes = [row["outcome"] for row in rows]
        counts = {
            name: outcomes.count(name) for name in ("created", "changed", "skipped", "refused")
        }
        tx.execute(_ADD_REPORT, import_id=import_id, number=number, **counts, body=pack(rows))


def report_pages(tx: Reader, import_id: str) -> list[tuple[int, Mapping[Outcome, int]]]:
    """Give the numbers of the pages of a report, with how many rows of them came to what."""
    names = ("created", "changed", "skipped", "refused")
    return [
        (number, cast("Mapping[Outcome, int]", dict(zip(names, counts, strict=True))))
        for number, *counts in tx.all(_COUNTS, id=import_id)
    ]


def report_page(tx: Reader, import_id: str, number: int) -> list[dict[str, Any]]:
    """Give the rows of one page of a report."""
    body = tx.value(_REPORT, id=import_id, number=number)
    return [] if body is None else unpack(bytes(body))


def old_ones(tx: Reader, *, before: int) -> list[Row]:
    """Give organization and id of the imports that nothing has happened to since a time."""
    return tx.all(_OLD, before=before)


def stale_ones(tx: Reader, *, before: int) -> list[Row]:
    """Give organization and id of those that are under way and have not moved since a time."""
    return tx.all(_STALE, before=before)


def _row(stored: StoredImport) -> dict[str, Any]:
    row = {name: getattr(stored, name) for name in StoredImport.__dataclass_fields__}
    summary = stored.summary
    return {
        **row,
        "files": json.dumps(list(stored.files)),
        "choices": json.dumps(dict(stored.choices)),
        "summary": None
        if summary is None
        else json.dumps({"counts": summary.counts, "notes": list(summary.notes)}),
    }


def _found(stored: StoredImport | None) -> StoredImport:
    if stored is None:
        raise NotFound("Import not found")
    return stored


def _change(
    verb: str,
    stored: StoredImport,
    data: Mapping[str, Any],
    *,
    before: Mapping[str, Any] | None = None,
) -> Change:
    label = ", ".join(stored.files)[:255]
    words = {"created": "Uploaded", "deleted": "Deleted the import of"}
    action = words.get(verb, f"The import is {stored.state}:")
    return Change(
        type=f"import.{verb}",
        resource_id=stored.id,
        label=label,
        details=f"{action} {label}",
        data=data,
        before=before,
    )
