"""Rows of a delimited text file: commas, semicolons, tabs or bars, each row with its line."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ipcraft_interchange.entries import Broken, Problem

DELIMITERS = ",;\t|"

LONGEST_LINE = 1 << 20
"""Characters of a line."""

MOST_COLUMNS = 1000
"""Cells of a row."""

_SAMPLED_ROWS = 20


@dataclass(frozen=True, slots=True)
class Row:
    """Be a row of a table: the line it begins in, from 1, and its cells."""

    line: int
    cells: Sequence[str]


def rows_of(path: Path, *, encoding: str, delimiter: str) -> Iterator[Row | Problem]:
    """Give the rows of a file that are not empty, and a problem for each that cannot be read.

    Raises `Broken` for a line or a row that no table has.
    """
    with path.open(encoding=encoding, newline="") as file:
        lines = _Lines(file.readline)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        before = 0
        while True:
            lines.opening = ""
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield _broken_quotes(lines.opening, error, line=before + 1, delimiter=delimiter)
                before = reader.line_num
                continue
            line, before = before + 1, reader.line_num
            if len(cells) > MOST_COLUMNS:
                raise Broken(
                    f"the row has {len(cells)} cells; at most {MOST_COLUMNS} are read", line=line
                )
            if any(cells):
                yield Row(line, cells)


def delimiter_of(path: Path, *, encoding: str) -> str:
    """Give the delimiter that cuts the most of the first rows into as many columns.

    Raises `Broken` for a line that no table has.
    """
    with path.open(encoding=encoding, newline="") as file:
        sample = list(islice(_Lines(file.readline), _SAMPLED_ROWS))
    return max(DELIMITERS, key=lambda delimiter: _evenness(sample, delimiter))


def _evenness(sample: Sequence[str], delimiter: str) -> tuple[int, int]:
    """Tell how well a delimiter fits: how many rows are of the same width, and that width."""
    try:
        rows = [cells for cells in csv.reader(sample, delimiter=delimiter) if any(cells)]
    except csv.Error:
        return 0, 0
    widths = Counter(len(cells) for cells in rows if len(cells) > 1)
    return max(((count, width) for width, count in widths.items()), default=(0, 0))


class _Lines:
    """Give the lines of a file, none longer than a line may be; keep the first of a row."""

    def __init__(self, readline: object) -> None:
        self._readline = readline
        self._number = 0
        self.opening = ""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line: str = self._readline(LONGEST_LINE + 1)  # type: ignore[operator]
        if not line:
            raise StopIteration
        self._number += 1
        if len(line) > LONGEST_LINE:
            raise Broken(f"the line is longer than {LONGEST_LINE} characters", line=self._number)
        if not self.opening:
            self.opening = line
        return line


def _broken_quotes(text: str, error: csv.Error, *, line: int, delimiter: str) -> Problem:
    column = _open_quote(text, delimiter)
    if column is None:
        return Problem(line, f"the row cannot be read: {error}")
    return Problem(line, "the quote that opens here is not closed as it should", str(column))


def _open_quote(text: str, delimiter: str) -> int | None:
    """Give the place, from 1, of the quote that opens a cell and does not end with it."""
    at = 0
    while at < len(text):
        if text[at] != '"':
            end = text.find(delimiter, at)
            if end < 0:
                return None
            at = end + 1
            continue
        close = text.find('"', at + 1)
        while text[close + 1 : close + 2] == '"' and close >= 0:
            close = text.find('"', close + 2)
        if close < 0 or text[close + 1 : close + 2] not in (delimiter, "\r", "\n", ""):
            return at + 1
        at = close + 2
    return None
