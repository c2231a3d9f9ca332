"""The encoding of a text file, found by reading it."""

from __future__ import annotations

import codecs
from pathlib import Path

from ipcraft_interchange.entries import Broken

_BLOCK = 1 << 20
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CANDIDATES = ("utf-8", "cp1252")
NAMES = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "cp1252": "Windows-1252",
}
"""What people call the encodings."""


def encoding_of(path: Path) -> str:
    """Give the encoding of a file: what its mark says, UTF-8, or Windows-1252.

    Raises `Broken` naming the place that is none of them.
    """
    with path.open("rb") as file:
        head = file.read(4)
    for mark, name in _MARKS:
        if head.startswith(mark):
            return _checked(path, name)
    if len(head) == 4 and head[1] == head[3] == 0 != head[0]:
        return _checked(path, "utf-16-le")
    if len(head) == 4 and head[0] == head[2] == 0 != head[1]:
        return _checked(path, "utf-16-be")
    for name in _CANDIDATES:
        if _first_bad(path, name) is None:
            return name
    return _checked(path, _CANDIDATES[-1])


def _checked(path: Path, name: str) -> str:
    bad = _first_bad(path, name)
    if bad is not None:
        line, byte = bad
        raise Broken(f"byte {byte} of the file is no {NAMES[name]} text", line=line)
    return name


def _first_bad(path: Path, name: str) -> tuple[int, int] | None:
    """Give the line and the byte of the first thing that the encoding has not, or None."""
    decoder = codecs.getincrementaldecoder(name)()
    line, read = 1, 0
    with path.open("rb") as file:
        while True:
            block = file.read(_BLOCK)
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                start = max(error.start, 0)
                return line + block[:start].count(b"\n"), read + start + 1
            if not block:
                return None
            line += block.count(b"\n")
            read += len(block)
