"""The items of a JSON file's lists, one at a time, each with the place it stands at.

The standard library decodes each item; what is done here is the walk over the document around
them, so that a file of any size takes the memory of one item.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from json import JSONDecodeError
from pathlib import Path
from typing import Any, TextIO

from ipcraft_interchange.entries import Broken

LARGEST_ITEM = 16 << 20
"""Characters of one item."""

_BLOCK = 1 << 16
_SPACE = " \t\r\n"


@dataclass(frozen=True, slots=True)
class Item:
    """Be a value of the document: an item of a list, or what else is at its top.

    `key` names the list in the object at the top; it is empty when the list is the document.
    """

    key: str
    index: int | None
    value: Any
    line: int
    column: int

    @property
    def path(self) -> str:
        """Give the way to it, such as ``prefixes[3]``."""
        return self.key if self.index is None else f"{self.key}[{self.index}]"


def items_of(path: Path, *, encoding: str) -> Iterator[Item]:
    """Give the items of the lists in a document. Raises `Broken` where it is no JSON."""
    with path.open(encoding=encoding, newline="") as file:
        cursor = _Cursor(file)
        opening = cursor.peek()
        if opening == "{":
            yield from _members(cursor)
        else:
            yield from _values(cursor, "")
        if cursor.peek():
            raise cursor.broken("there is something after the end of the document")


def _members(cursor: _Cursor) -> Iterator[Item]:
    cursor.expect("{")
    seen: set[str] = set()
    while cursor.peek() != "}":
        if seen:
            cursor.expect(",")
        place = cursor.place()
        key = cursor.value()
        if not isinstance(key, str):
            raise Broken("a name in quotes must stand here", line=place[0], column=str(place[1]))
        if key in seen:
            raise Broken(f"{key[:64]!r} is there twice", line=place[0], column=str(place[1]))
        seen.add(key)
        cursor.expect(":")
        yield from _values(cursor, key)
    cursor.expect("}")


def _values(cursor: _Cursor, key: str) -> Iterator[Item]:
    if cursor.peek() != "[":
        line, column = cursor.place()
        yield Item(key, None, cursor.value(), line, column)
        return
    cursor.expect("[")
    index = 0
    while cursor.peek() != "]":
        if index:
            cursor.expect(",")
            cursor.peek()
        line, column = cursor.place()
        yield Item(key, index, cursor.value(), line, column)
        index += 1
    cursor.expect("]")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a name is there twice in one object")
    return value


class _Cursor:
    """Walk over the text of a document, holding a piece of it."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._text = ""
        self._at = 0
        self._line = 1
        self._column = 1
        """The place of the beginning of the text held."""
        self._ended = False
        self._decode = json.JSONDecoder(
            parse_constant=_refuse_constant, object_pairs_hook=_distinct
        ).raw_decode

    def peek(self) -> str:
        """Give the next character that is no space, without taking it; nothing at the end."""
        while True:
            while self._at < len(self._text):
                character = self._text[self._at]
                if character not in _SPACE:
                    return character
                self._at += 1
            if not self._refill(_BLOCK):
                return ""

    def expect(self, character: str) -> None:
        """Take a character. Raises `Broken` when another one stands there."""
        found = self.peek()
        if found != character:
            what = f"{found!r} stands" if found else "the file ends"
            raise self.broken(f"{what} where {character!r} must be")
        self._at += 1

    def value(self) -> Any:
        """Take a whole value. Raises `Broken`."""
        if not self.peek():
            raise self.broken("the file ends where a value must be")
        size = _BLOCK
        while True:
            try:
                value, end = self._decode(self._text, self._at)
            except JSONDecodeError as error:
                if not self._may_be_cut() or not self._refill(size):
                    raise self._broken_at(error.pos, f"this is no JSON: {error.msg}") from error
            except (ValueError, RecursionError) as error:
                reason = "it is nested too deeply" if isinstance(error, RecursionError) else error
                raise self.broken(f"this is no JSON: {reason}") from error
            else:
                # A number at the end of the piece may go on in the next one.
                if end < len(self._text) or not self._refill(size):
                    self._at = end
                    return value
            size *= 2

    def place(self) -> tuple[int, int]:
        """Give line and column, from 1, of the next character."""
        return self._place(self._at)

    def broken(self, message: str) -> Broken:
        """Make the complaint about what stands here."""
        return self._broken_at(self._at, message)

    def _may_be_cut(self) -> bool:
        return len(self._text) - self._at < LARGEST_ITEM

    def _broken_at(self, at: int, message: str) -> Broken:
        line, column = self._place(at)
        return Broken(message, line=line, column=str(column))

    def _place(self, at: int) -> tuple[int, int]:
        newline = self._text.rfind("\n", 0, at)
        if newline < 0:
            return self._line, self._column + at
        return self._line + self._text.count("\n", 0, at), at - newline

    def _refill(self, size: int) -> bool:
        """Read on; tell whether there was more."""
        more = "" if self._ended else self._file.read(size)
        if not more:
            self._ended = True
            return False
        self._line, self._column = self._place(self._at)
        self._text = self._text[self._at :] + more
        self._at = 0
        return True
