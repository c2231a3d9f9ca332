"""Findings: what an import came to, told on the terminal and written as a report."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import click

from ipcraft.plugin import Invalid
from ipcraft_interchange.formulas import neutralized
from ipcraft_interchange.reports import OUTCOMES

_SHOWN = 20
_COLUMNS = ("file", "line", "column", "kind", "label", "vrf", "outcome", "reason", "changes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Be the report of an import, from the database or from a server."""

    counts: Mapping[str, int]
    notes: Sequence[str]
    rows: Callable[[str | None], Iterator[Mapping[str, Any]]]
    """Gives the rows of one outcome, or all."""
    is_done: bool
    """Whether something was imported."""


def tell(findings: Findings) -> None:
    """Say what became of the rows: the refused ones by their places, the others by their number."""
    for note in findings.notes:
        click.echo(note)
    if findings.counts["refused"]:  # PERF: else all rows would be looked through for none
        _complain(findings)
    words = ", ".join(f"{findings.counts[outcome]} {outcome}" for outcome in OUTCOMES)
    nothing = "" if findings.is_done else " (nothing was imported)"
    click.echo(f"{sum(findings.counts.values())} rows: {words}{nothing}")


def _complain(findings: Findings) -> None:
    for row in islice(findings.rows("refused"), _SHOWN):
        click.echo(_complaint(row), err=True)
    more = findings.counts["refused"] - _SHOWN
    if more > 0:
        click.echo(f"and {more} more", err=True)


def write_report(findings: Findings, path: Path) -> None:
    """Write what became of each row into a CSV file. Raises `Invalid` where that cannot be."""
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(_COLUMNS)
            for row in findings.rows(None):
                changes = " ".join(row["changes"])
                writer.writerow([_cell(({**row, "changes": changes})[name]) for name in _COLUMNS])
    except OSError as error:
        raise Invalid(f"{path}: cannot be written: {error.strerror}") from error


def _cell(value: object) -> str:
    return neutralized(str(value)) if value not in (None, "") else ""


def _complaint(row: Mapping[str, Any]) -> str:
    column = f", column {row['column']}" if row["column"] else ""
    label = f" ({row['label']})" if row["label"] else ""
    return f"{row['file']}, line {row['line']}{column}{label}: {row['reason']}"
