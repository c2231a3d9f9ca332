"""Archives: what is packed is unpacked into a folder, as far as there is room for it."""

from __future__ import annotations

import gzip
import lzma
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from zipfile import BadZipFile, ZipFile, ZipInfo

from ipcraft_interchange.entries import Broken

MOST_MEMBERS = 100
"""Files in an archive."""

_BLOCK = 1 << 20
_ENCRYPTED = 0x1
_DAMAGE = (
    BadZipFile,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    zlib.error,
)
"""What the standard library raises where an archive is not what it says, or of an unknown kind."""


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def unpack(path: Path, folder: Path, *, limit: int) -> Iterator[tuple[str, Path]]:
    """Give name and place of each file of a ZIP archive.

    `limit` is how many bytes all of them may have. Raises `Broken` when they have more, whatever
    the archive says of them, and for what cannot be unpacked.
    """
    members = members_of(path)
    check_members(members, limit=limit)
    with ZipFile(path) as archive:
        for number, member in enumerate(members):
            target = folder / f"member-{number}"
            with unpacking():
                packed = archive.open(member)
            with packed:
                limit -= _copy(packed, target, name=member.filename, limit=limit)
            yield member.filename, target


def gunzip(path: Path, folder: Path, *, limit: int) -> Path:
    """Give the place of a gzipped file, unpacked. Raises `Broken` as `unpack` does."""
    target = folder / "unpacked"
    with gzip.open(path) as packed:
        _copy(packed, target, name="the file", limit=limit)
    return target


@contextmanager
def unpacking() -> Iterator[None]:
    """Turn what an archive raises that is none into `Broken`."""
    try:
        yield
    except _DAMAGE as error:
        raise Broken(f"the archive cannot be unpacked: {error}", line=1) from error


def members_of(path: Path) -> list[ZipInfo]:
    """Give the files in a ZIP archive, without what systems put beside them. Raises `Broken`."""
    with unpacking(), ZipFile(path) as archive:
        return [member for member in archive.infolist() if not _is_clutter(member)]


def check_members(members: list[ZipInfo], *, limit: int) -> None:
    """Refuse too many files, too large ones and encrypted ones, before any is read."""
    if len(members) > MOST_MEMBERS:
        raise Broken(
            f"the archive has {len(members)} files; at most {MOST_MEMBERS} are read", line=1
        )
    if any(member.flag_bits & _ENCRYPTED for member in members):
        raise Broken("the archive is encrypted", line=1)
    if sum(member.file_size for member in members) > limit:
        raise _too_large("the archive", limit)


def _is_clutter(member: ZipInfo) -> bool:
    name = member.filename
    return member.is_dir() or name.startswith("__MACOSX/") or Path(name).name.startswith(".")


def _copy(packed: _Readable, target: Path, *, name: str, limit: int) -> int:
    size = 0
    with target.open("wb") as unpacked:
        while True:
            with unpacking():  # only what is read: a full disk is no fault of the archive
                block = packed.read(_BLOCK)
            if not block:
                return size
            size += len(block)
            if size > limit:
                raise _too_large(name, limit)
            unpacked.write(block)


def _too_large(name: str, limit: int) -> Broken:
    return Broken(f"{name} has more than {limit} bytes when it is unpacked", line=1)
