"""`ipcraft import` of the ranges Amazon publishes, on SQLite, twice."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path

from bench.figures import Series
from bench.grounds import Grounds, say
from bench.servers import ipcraft, organization_command, settings
from bench.table import Goal, Line


def amazon(grounds: Grounds) -> list[Line]:
    """Load the file into an empty database, then again, which must change nothing."""
    file = grounds.amazon
    if file is None:
        return [Line(operation="ipcraft import, SQLite", note="not measured: give --amazon FILE")]
    folder = grounds.scratch / "amazon"
    folder.mkdir()
    database = folder / "amazon.db"
    environment = {**os.environ, **settings(f"sqlite:///{database}")}
    ipcraft(["db", "upgrade"], environment=environment, folder=folder)
    ipcraft(
        organization_command("amazon"),
        environment=environment,
        folder=folder,
    )
    say("ipcraft import, twice")
    first = _load(file, folder, environment=environment)
    before = _counts(database)
    second = _load(file, folder, environment=environment)
    after = _counts(database)
    changed = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    return [
        Line(
            operation="ipcraft import, SQLite",
            series=Series.once(first),
            data=file.name,
            value=first,
            goals=(Goal("value", "<=", 15, " s"),),
            note=f"{first:.1f} s",
        ),
        Line(
            operation="ipcraft import, again",
            series=Series.once(second),
            data=file.name,
            note="" if changed else "changed nothing",
            fault=f"rows changed: {changed}" if changed else "",
        ),
    ]


def _load(file: Path, folder: Path, *, environment: Mapping[str, str]) -> float:
    started = time.perf_counter()
    ipcraft(["import", str(file)], environment=environment, folder=folder)
    return time.perf_counter() - started


def _counts(database: Path) -> dict[str, int]:
    """Count the rows of every table; what the search index has follows from them."""
    connection = sqlite3.connect(database)
    try:
        names = connection.execute(
            "SELECT name FROM pragma_table_list "
            "WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
        return {
            name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
            for (name,) in names
        }
    finally:
        connection.close()
