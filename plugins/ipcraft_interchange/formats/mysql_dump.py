"""The rows in a dump that mysqldump or mariadb-dump wrote.

Only what such dumps have is understood: CREATE TABLE for the columns, and INSERT with values. The
text is read statement by statement, so that a dump may be larger than memory.
Source: https://dev.mysql.com/doc/refman/8.4/en/string-literals.html
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ipcraft_interchange.entries import Broken
from ipcraft_interchange.files.documents import Document

LONGEST_STATEMENT = 64 << 20
"""Characters of one statement: servers take no longer packets either."""

_CREATE = re.compile(r"CREATE TABLE (?:IF NOT EXISTS )?`(?P<table>[^`]+)` \(", re.IGNORECASE)
_COLUMN = re.compile(r"^\s+`([^`]+)` ", re.MULTILINE)
_INSERT = re.compile(
    r"INSERT (?:IGNORE )?INTO `(?P<table>[^`]+)`\s*(?:\((?P<columns>[^)]*)\))?\s*VALUES\s*",
    re.IGNORECASE,
)
_VALUE = re.compile(
    r"\s*(?:(?:_[a-z0-9]+ )?'(?P<text>(?:[^'\\]|\\.|'')*)'"
    r"|(?P<null>NULL)|0x(?P<hex>[0-9A-Fa-f]+)|(?P<number>[-+0-9.eE]+))\s*(?P<end>[,)])",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)|''", re.DOTALL)
_ESCAPED_CHARACTER = re.compile(r"\\.", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "Z": "\x1a", "b": "\b"}
_DUMP = re.compile(r"^-- (?:MySQL|MariaDB) dump|^/\*M!999999", re.MULTILINE)
_COMPLETED = "-- Dump completed"


@dataclass(frozen=True, slots=True)
class DumpRow:
    """Be a row of a table: texts by column, None for NULL."""

    table: str
    line: int
    values: Mapping[str, str | None]


def rows_of(document: Document, tables: Container[str]) -> Iterator[DumpRow]:
    """Give the rows of these tables. Raises `Broken` where the dump breaks off or is none."""
    columns: dict[str, Sequence[str]] = {}
    completed = False
    for line, statement in _statements(document):
        completed = completed or statement.startswith(_COMPLETED)
        created = _CREATE.match(statement)
        if created:
            columns[created["table"]] = _COLUMN.findall(statement)
            continue
        inserted = _INSERT.match(statement)
        if inserted and inserted["table"] in tables:
            table = inserted["table"]
            names = re.findall(r"`([^`]+)`", inserted["columns"] or "") or columns.get(table, ())
            if not names:
                raise Broken(f"the dump does not say the columns of {table}", line=line)
            yield from _rows(table, names, statement, inserted.end(), line=line)
    if not completed and _DUMP.search(document.head):
        raise Broken("the dump breaks off: its last line is missing", line=_length(document))


def _rows(
    table: str, names: Sequence[str], statement: str, at: int, *, line: int
) -> Iterator[DumpRow]:
    while True:
        if statement[at : at + 1] != "(":
            raise _broken(statement, at, line)
        row_line = line + statement.count("\n", 0, at)
        values: list[str | None] = []
        at += 1
        end = ","
        while end == ",":
            found = _VALUE.match(statement, at)
            if found is None:
                raise _broken(statement, at, line)
            values.append(_value(found))
            at, end = found.end(), found["end"]
        if len(values) != len(names):
            raise Broken(
                f"a row of {table} has {len(values)} values for {len(names)} columns", line=row_line
            )
        yield DumpRow(table, row_line, dict(zip(names, values, strict=True)))
        rest = re.compile(r"\s*,\s*").match(statement, at)
        if rest is None:
            if statement[at:].strip() != ";":
                raise _broken(statement, at, line)
            return
        at = rest.end()


def _value(found: re.Match[str]) -> str | None:
    if found["null"]:
        return None
    if found["hex"]:
        return bytes.fromhex(found["hex"]).decode(errors="replace")
    if found["number"]:
        return found["number"]
    return _ESCAPE.sub(_unescaped, found["text"])


def _unescaped(found: re.Match[str]) -> str:
    character = found[1]
    return "'" if character is None else _ESCAPED.get(character, character)


def _statements(document: Document) -> Iterator[tuple[int, str]]:
    """Give comments and statements with the line each begins in; a statement ends with ``;``."""
    parts: list[str] = []
    began, size, is_in_text = 0, 0, False
    for number, text in enumerate(document.lines(), start=1):
        if not parts:
            if text.startswith("--") or not text.strip():
                yield number, text
                continue
            began, size, is_in_text = number, 0, False
        parts.append(text)
        size += len(text)
        if size > LONGEST_STATEMENT:
            raise Broken(f"a statement has more than {LONGEST_STATEMENT} characters", line=began)
        # A line of a text may end with a semicolon, too; then its quotes are not in pairs.
        is_in_text ^= _has_odd_quotes(text)
        is_alone = len(parts) == 1 and not _INSERT.match(text)
        if text.rstrip().endswith(";") and (is_alone or not is_in_text):
            yield began, "".join(parts)
            parts = []
    if parts:
        raise Broken("the dump breaks off in the middle of a statement", line=began)


def _has_odd_quotes(line: str) -> bool:
    return _ESCAPED_CHARACTER.sub("", line).count("'") % 2 == 1


def _length(document: Document) -> int:
    return sum(1 for _ in document.lines())


def _broken(statement: str, at: int, line: int) -> Broken:
    newline = statement.rfind("\n", 0, at)
    column = at - newline if newline >= 0 else at + 1
    return Broken(
        "the statement makes no sense here",
        line=line + statement.count("\n", 0, at),
        column=str(column),
    )
