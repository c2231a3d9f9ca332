"""Documents: the parts of a file that an importer reads, whatever they were wrapped in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from ipcraft_interchange.entries import Broken, Problem
from ipcraft_interchange.files import archives
from ipcraft_interchange.files.encodings import NAMES, encoding_of
from ipcraft_interchange.files.json_items import Item, items_of
from ipcraft_interchange.files.spreadsheets import Sheet, xls_sheets, xlsx_sheets
from ipcraft_interchange.files.tables import Row, delimiter_of, rows_of

Form = Literal["table", "json", "sql"]

_HEAD = 1 << 16
_SAMPLED = 200
_SQL = re.compile(
    r"^\s*(INSERT\s+INTO|CREATE\s+TABLE|--\s+(MySQL|MariaDB)\s+dump|/\*!\d{5})", re.I | re.M
)
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True)
class Document:
    """Be one table, JSON document or SQL dump; read it as often as you like."""

    name: str
    """The file's name; that of a sheet or of a file in an archive stands behind it."""
    path: Path
    form: Form
    sheet: Callable[[], Iterator[Row]] | None = None

    @cached_property
    def encoding(self) -> str:
        """Give the encoding of the text."""
        return encoding_of(self.path)

    @cached_property
    def delimiter(self) -> str:
        """Give what stands between the cells of a table."""
        return delimiter_of(self.path, encoding=self.encoding)

    @cached_property
    def header(self) -> tuple[str, ...]:
        """Give the cells of a table's first row, stripped; none where there is no table."""
        if self.form != "table":
            return ()
        first = next((row for row in self.rows() if isinstance(row, Row)), None)
        return tuple(cell.strip() for cell in first.cells) if first else ()

    @cached_property
    def sample(self) -> Sequence[Item]:
        """Give some of the first items of a JSON document; none where it is none."""
        return self._sampled[0]

    @property
    def break_in_sample(self) -> Broken | None:
        """Give what ends the sample because it is no JSON, or None."""
        return self._sampled[1]

    @cached_property
    def _sampled(self) -> tuple[Sequence[Item], Broken | None]:
        found: list[Item] = []
        if self.form == "json":
            try:
                found.extend(islice(self.items(), _SAMPLED))
            except Broken as broken:
                return found, broken
        return found, None

    @cached_property
    def head(self) -> str:
        """Give the beginning of the text; nothing of a sheet."""
        if self.sheet:
            return ""
        with self.path.open(encoding=self.encoding, newline="") as file:
            return file.read(_HEAD)

    @property
    def described(self) -> str:
        """Say how it is read."""
        if self.sheet:
            return "a sheet"
        text = f"{NAMES[self.encoding]} text"
        if self.form != "table":
            return f"{self.form.upper()}, {text}"
        return f"{text} with {_DELIMITERS[self.delimiter]}"

    def rows(self) -> Iterator[Row | Problem]:
        """Give the rows of a table, the header among them, and a problem for each unreadable one.

        Raises `Broken` where it makes no sense any more.
        """
        if self.sheet:
            return self.sheet()
        return rows_of(self.path, encoding=self.encoding, delimiter=self.delimiter)

    def items(self) -> Iterator[Item]:
        """Give the items of a JSON document. Raises `Broken` where it makes no sense any more."""
        return items_of(self.path, encoding=self.encoding)

    def lines(self) -> Iterator[str]:
        """Give the lines of the text."""
        with self.path.open(encoding=self.encoding) as file:
            yield from file


def documents_of(name: str, path: Path, *, folder: Path, limit: int) -> Iterator[Document]:
    """Give the documents in a file: one, or those of an archive, or the sheets of a workbook.

    `folder` is where archives are unpacked to, `limit` how many bytes they may have then. Raises
    `Broken` for what cannot be opened.
    """
    with path.open("rb") as file:
        magic = file.read(8)
    if not magic:
        raise Broken("the file is empty", line=1)
    if magic.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        if _is_workbook(path, limit=limit):
            yield from _sheets(name, path, xlsx_sheets(path))
        else:
            for member, unpacked in archives.unpack(path, folder, limit=limit):
                yield _document(f"{name}, {member}", unpacked)
    elif magic.startswith(b"\xd0\xcf\x11\xe0"):
        yield from _sheets(name, path, xls_sheets(path))
    elif magic.startswith(b"\x1f\x8b"):
        yield _document(name, archives.gunzip(path, folder, limit=limit))
    else:
        yield _document(name, path)


def _document(name: str, path: Path) -> Document:
    text = Document(name, path, "table")
    head = text.head.lstrip("\ufeff \t\r\n")
    if head[:1] in ("{", "["):
        return Document(name, path, "json")
    return Document(name, path, "sql") if _SQL.search(head) else text


def _sheets(name: str, path: Path, sheets: Sequence[Sheet]) -> Iterator[Document]:
    for title, rows in sheets:
        yield Document(f"{name}, sheet {title}", path, "table", rows)


def _is_workbook(path: Path, *, limit: int) -> bool:
    members = archives.members_of(path)
    if not any(member.filename == "[Content_Types].xml" for member in members):
        return False
    archives.check_members(members, limit=limit)
    return True


def keys_of(item: Mapping[str, Any] | Any) -> frozenset[str]:
    """Give the names in a JSON object; none of what is no object."""
    return frozenset(item) if isinstance(item, Mapping) else frozenset()
