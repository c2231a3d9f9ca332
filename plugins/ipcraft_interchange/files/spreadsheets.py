"""Sheets of Excel files, as rows of texts.

The readers are imported where they are used: they take a quarter of a second.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from ipcraft_interchange.entries import Broken
from ipcraft_interchange.files.tables import MOST_COLUMNS, Row

MOST_ROWS = 1 << 20
"""Rows of a sheet, as many as Excel has; a cell further down would have all above it made up."""

MOST_SHARED = 64 << 20
"""Bytes of a workbook besides its sheets: its texts, styles and names, which are held in memory."""

_SHEETS = "xl/worksheets/"
_BROKEN = (
    ArithmeticError,
    AttributeError,
    BadZipFile,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RecursionError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What openpyxl raises where it meets something else than it expects: it checks nothing first."""

Sheet = tuple[str, Callable[[], Iterator[Row]]]
"""The name of a sheet, and what gives its rows."""


def xlsx_sheets(path: Path) -> list[Sheet]:
    """Give the sheets of an Excel file of 2007 or later. Raises `Broken`."""
    from openpyxl import load_workbook

    try:
        _check_shared(path)
        # As an open file: of a path openpyxl asks that it ends as an Excel file's does.
        with path.open("rb") as file:
            names = [sheet.title for sheet in load_workbook(file, read_only=True).worksheets]
    except _BROKEN as error:
        raise Broken(f"this is no Excel file: {error}", line=1) from error
    return [(name, lambda name=name: _xlsx_rows(path, name)) for name in names]  # type: ignore[misc]


def _xlsx_rows(path: Path, name: str) -> Iterator[Row]:
    from openpyxl import load_workbook

    line = 0
    with path.open("rb") as file:
        try:
            sheet: Any = load_workbook(file, read_only=True, data_only=True)[name]
            # What a sheet says of its size is often wrong, and rows beyond it would be lost.
            sheet.reset_dimensions()
            for line, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
                if line > MOST_ROWS:
                    raise Broken(f"the sheet has more than {MOST_ROWS} rows", line=line)
                row = _row(line, cells)
                if row is not None:
                    yield row
        except _BROKEN as error:
            raise Broken(f"the sheet cannot be read: {error}", line=line + 1) from error


def _check_shared(path: Path) -> None:
    with ZipFile(path) as archive:
        shared = sum(
            member.file_size
            for member in archive.infolist()
            if not member.filename.startswith(_SHEETS)
        )
    if shared > MOST_SHARED:
        raise Broken(f"the workbook has more than {MOST_SHARED} bytes besides its sheets", line=1)


def xls_sheets(path: Path) -> list[Sheet]:
    """Give the sheets of an Excel file of before 2007. Raises `Broken`."""
    import xlrd
    from xlrd.biffh import XLRDError
    from xlrd.compdoc import CompDocError

    try:
        book = xlrd.open_workbook(str(path), logfile=_Nowhere())
    except (XLRDError, CompDocError, AssertionError, *_BROKEN) as error:
        raise Broken(f"this is no Excel file: {error}", line=1) from error
    return [(sheet.name, lambda sheet=sheet: _xls_rows(sheet)) for sheet in book.sheets()]  # type: ignore[misc]


def _xls_rows(sheet: Any) -> Iterator[Row]:
    import xlrd

    for index in range(sheet.nrows):
        cells = [
            bool(cell.value) if cell.ctype == xlrd.XL_CELL_BOOLEAN else cell.value
            for cell in sheet.row(index)
        ]
        row = _row(index + 1, cells)
        if row is not None:
            yield row


def _row(line: int, cells: Sequence[Any]) -> Row | None:
    width = len(cells)
    while width and cells[width - 1] in (None, ""):
        width -= 1  # cells that have a colour and no text
    if width > MOST_COLUMNS:
        raise Broken(f"the row has {width} cells; at most {MOST_COLUMNS} are read", line=line)
    texts = [_text(cell) for cell in cells[:width]]
    return Row(line, texts) if any(texts) else None


def _text(cell: object) -> str:
    """Write a cell as a person sees it: whole numbers without a fraction."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    return str(cell)


class _Nowhere:
    """Take what xlrd has to say about odd files."""

    def write(self, text: str) -> int:
        """Forget it."""
        return len(text)

    def flush(self) -> None:
        """Have nothing to do."""
