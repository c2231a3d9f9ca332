"""Staging: the rows of a file in a database of their own, in the order in which they are worked.

A file may have more rows than memory, in any order. Here they lie in a temporary SQLite file:
sorted by kind, VRF and address, so that containers come before what they contain and neighbours
come together; and in the file's order, for the report.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import orjson

from ipcraft_interchange.entries import KINDS, Kind
from ipcraft_ipam import format_bytes

Outcome = Literal["created", "changed", "skipped", "refused"]

PAGE = 1000
"""Rows that are worked together."""

UNKNOWN = -1
"""The prefix length of an address that came without."""

_BUFFERED = 2000
_COLUMNS = 14
_SCHEMA = """
CREATE TABLE rows (
    seq INTEGER PRIMARY KEY,
    file INTEGER NOT NULL,
    line INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    space INTEGER NOT NULL,
    first BLOB NOT NULL,
    prefix INTEGER NOT NULL,
    length INTEGER NOT NULL,
    label TEXT NOT NULL,
    data BLOB NOT NULL,
    outcome TEXT,
    reason TEXT,
    field TEXT,
    changes TEXT
)
"""
_ORDER = "CREATE INDEX rows_in_order ON rows (kind, space, first, prefix, seq)"
_UNREAD = -1


class Staged(NamedTuple):
    """Be a row that waits: `first` and `prefix` are its network, or `first` its address.

    An address may come with the length of the prefix that it is in, else that is `UNKNOWN`.

    PERF: there are hundreds of thousands; a tuple is made in a third of the time.
    """

    seq: int
    file: int
    line: int
    first: bytes
    prefix: int
    length: int
    values: dict[str, Any]
    outcome: Outcome | None


class Verdict(NamedTuple):
    """Say what becomes of a row, and why; `changes` name the fields that are changed."""

    seq: int
    outcome: Outcome
    reason: str | None = None
    field: str | None = None
    changes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Reported:
    """Be a row as the report shows it."""

    seq: int
    file: int
    line: int
    kind: Kind | None
    space: int
    label: str
    outcome: Outcome
    reason: str | None
    field: str | None
    changes: tuple[str, ...]


StagingError = sqlite3.Error
"""What `Staging` raises when it cannot hold the rows, such as on a full disk."""


class Staging:
    """Hold the rows of one import. Raises `StagingError`."""

    def __init__(self, folder: Path) -> None:
        self._database = sqlite3.connect(folder / "rows.db", isolation_level=None)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -16000"):
            self._database.execute(f"PRAGMA {pragma}")
        self._database.execute(_SCHEMA)
        self._buffer: list[tuple[Any, ...]] = []
        self.count = 0
        """The rows there are."""

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def add(
        self,
        kind: Kind,
        values: dict[str, Any],
        *,
        file: int,
        line: int,
        space: int = 0,
        first: bytes = b"",
        prefix: int = 0,
        length: int = UNKNOWN,
        label: str = "",
    ) -> int:
        """Add a row and give its number."""
        data = orjson.dumps(values)
        self._append(file, line, KINDS.index(kind), space, first, prefix, length, label, data)
        return self.count

    def refuse(
        self, message: str, *, file: int, line: int, field: str | None = None, fine: bool = False
    ) -> None:
        """Add a row that could not be read; or one that is `fine` and not for us."""
        self._append(
            file,
            line,
            _UNREAD,
            0,
            b"",
            0,
            UNKNOWN,
            "",
            b"{}",
            "skipped" if fine else "refused",
            message,
            field,
        )

    def settle(self, aliases: dict[int, int]) -> None:
        """Put the rows in order; `aliases` are VRFs that are another one, by their numbers."""
        self._flush()
        for alias, space in aliases.items():
            self._database.execute("UPDATE rows SET space = ? WHERE space = ?", (space, alias))
        self._database.execute(_ORDER)

    def refuse_space(self, space: int, message: str, field: str) -> None:
        """Refuse every row of a VRF that there is not."""
        self._database.execute(
            "UPDATE rows SET outcome = 'refused', reason = ?, field = ? "
            "WHERE space = ? AND outcome IS NULL",
            (message, field, space),
        )

    def spaces(self, kind: Kind) -> list[int]:
        """Give the numbers of the VRFs that rows of a kind are in."""
        rows = self._database.execute(
            "SELECT DISTINCT space FROM rows WHERE kind = ? ORDER BY space", (KINDS.index(kind),)
        )
        return [space for (space,) in rows]

    def pages(
        self, kind: Kind, space: int, *, outcomes: Sequence[Outcome | None], size: int = PAGE
    ) -> Iterator[list[Staged]]:
        """Give the rows of a kind in a VRF by address, those with one of the outcomes."""
        after: tuple[bytes, int, int] = (b"", -1, -1)
        wanted = [outcome for outcome in outcomes if outcome is not None]
        open_ones = "outcome IS NULL OR " if None in outcomes else ""
        query = (
            "SELECT seq, file, line, first, prefix, length, data, outcome FROM rows "
            "WHERE kind = ? AND space = ? AND (first, prefix, seq) > (?, ?, ?) "
            f"AND ({open_ones}outcome IN ({', '.join('?' * len(wanted))})) "
            "ORDER BY first, prefix, seq LIMIT ?"
        )
        while True:
            arguments = (KINDS.index(kind), space, *after, *wanted, size)
            page = [
                Staged(seq, file, line, first, prefix, length, orjson.loads(data), outcome)
                for seq, file, line, first, prefix, length, data, outcome in self._database.execute(
                    query, arguments
                ).fetchall()
            ]
            if page:
                yield page
            if len(page) < size:
                return
            after = (page[-1].first, page[-1].prefix, page[-1].seq)

    def note(self, verdicts: Sequence[Verdict]) -> None:
        """Note what becomes of rows."""
        self._flush()
        self._together(
            "UPDATE rows SET outcome = ?, reason = ?, field = ?, changes = ? WHERE seq = ?",
            (
                (each.outcome, each.reason, each.field, " ".join(each.changes) or None, each.seq)
                for each in verdicts
            ),
        )

    def resume(self, before: Iterable[Verdict]) -> None:
        """Have rows that are found as they should be count as what was to become of them before.

        Rows that were to be created or changed, and are now, were so by a run that was cut.
        """
        self._flush()
        self._together(
            "UPDATE rows SET outcome = ?, changes = ? WHERE seq = ? AND outcome = 'skipped'",
            (
                (each.outcome, " ".join(each.changes) or None, each.seq)
                for each in before
                if each.outcome in ("created", "changed")
            ),
        )

    def counts(self) -> dict[tuple[Kind | None, Outcome], int]:
        """Count the rows by kind and outcome."""
        self._flush()
        rows = self._database.execute(
            "SELECT kind, outcome, count(*) FROM rows GROUP BY kind, outcome"
        )
        return {(_kind(kind), outcome): count for kind, outcome, count in rows}

    def report(self) -> Iterator[list[Reported]]:
        """Give every row in the file's order, page by page."""
        cursor = self._database.execute(
            "SELECT seq, file, line, kind, space, label, first, prefix, outcome, reason, field, "
            "changes FROM rows ORDER BY seq"
        )
        while page := cursor.fetchmany(PAGE):
            yield [_reported(*row) for row in page]

    def _append(self, file: int, line: int, *columns: Any) -> None:
        self.count += 1
        row = (self.count, file, line, *columns)
        self._buffer.append(row + (None,) * (_COLUMNS - len(row)))
        if len(self._buffer) >= _BUFFERED:
            self._flush()

    def _flush(self) -> None:
        if self._buffer:
            self._together(f"INSERT INTO rows VALUES ({', '.join('?' * _COLUMNS)})", self._buffer)
            self._buffer.clear()

    def _together(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Run a statement for each row, in one transaction."""
        self._database.execute("BEGIN")
        self._database.executemany(statement, rows)
        self._database.execute("COMMIT")


def _reported(
    seq: int,
    file: int,
    line: int,
    kind: int,
    space: int,
    label: str,
    first: bytes,
    prefix: int,
    *rest: Any,
) -> Reported:
    if first:
        label = format_bytes(first)
        if KINDS[kind] == "subnet":
            label = f"{label}/{prefix}"
    outcome, reason, field, changes = rest
    return Reported(
        seq,
        file,
        line,
        _kind(kind),
        space,
        label,
        outcome,
        reason,
        field,
        tuple((changes or "").split()),
    )


def _kind(number: int) -> Kind | None:
    return None if number == _UNREAD else KINDS[number]
