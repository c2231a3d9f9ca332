"""Archives: what is packed is unpacked into a folder, as far as there is room for it."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from zipfile import BadZipFile, ZipFile, ZipInfo

from ipcraft_interchange.entries import Broken

MOST_MEMBERS = 100
"""Files in an archive."""

_BLOCK = 1 << 20
_ENCRYPTED = 0x1


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def unpack(path: Path, folder: Path, *, limit: int) -> Iterator[tuple[str, Path]]:
    """Give name and place of each file of a ZIP archive.

    `limit` is how many bytes all of them may have. Raises `Broken` when they have more, whatever
    the archive says of them, and for what cannot be unpacked.
    """
    try:
        with ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not _is_clutter(member)]
            check_members(members, limit=limit)
            for number, member in enumerate(members):
                target = folder / f"member-{number}"
                with archive.open(member) as packed:
                    limit -= _copy(packed, target, name=member.filename, limit=limit)
                yield member.filename, target
    except (BadZipFile, NotImplementedError, zlib.error, EOFError) as error:
        raise Broken(f"the archive cannot be unpacked: {error}", line=1) from error


def gunzip(path: Path, folder: Path, *, limit: int) -> Path:
    """Give the place of a gzipped file, unpacked. Raises `Broken` as `unpack` does."""
    target = folder / "unpacked"
    try:
        with gzip.open(path) as packed:
            _copy(packed, target, name="the file", limit=limit)
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise Broken(f"the file cannot be unpacked: {error}", line=1) from error
    return target


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
        while block := packed.read(_BLOCK):
            size += len(block)
            if size > limit:
                raise _too_large(name, limit)
            unpacked.write(block)
    return size


def _too_large(name: str, limit: int) -> Broken:
    return Broken(f"{name} has more than {limit} bytes when it is unpacked", line=1)
