"""Uploads: from a request's body to files, and from files to pieces in the database and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path, PurePath
from typing import Any, BinaryIO, cast

import falcon
from falcon.media.multipart import MultipartFormHandler

from ipcraft.plugin import Invalid, Reader, save_body
from ipcraft_interchange.imports import StoredImport, piece
from ipcraft_interchange.intake import Upload

PIECE = 256 * 1024
"""Bytes of a piece."""

_BLOCK = 1 << 20
_LONGEST_NAME = 255
_UNNAMED = "upload"
_FORM = "multipart/form-data"


def received(req: falcon.Request, folder: Path, *, name: str | None, limit: int) -> list[Upload]:
    """Write what a request sends into a folder: one file, or those of a form.

    Raises `Invalid` for an empty body and a broken form, `BodyTooLarge` above `limit` bytes.
    """
    whole = folder / "body"
    with whole.open("wb") as file:
        size = save_body(req, file, limit=limit)
    if size == 0:
        raise Invalid("The body is empty; a file is expected", code="empty_file")
    if (req.content_type or "").lower().startswith(_FORM):
        return _parts(req, whole, folder, size=size)
    return [Upload(_name(name), whole)]


def pieces_of(path: Path) -> Iterator[bytes]:
    """Give a file in pieces."""
    with path.open("rb") as file:
        while body := file.read(PIECE):
            yield body


def restored(
    look: Callable[[], AbstractContextManager[Reader]], stored: StoredImport, folder: Path
) -> list[Upload]:
    """Write the files of an import into a folder, a piece at a time."""
    uploads: list[Upload] = []
    for index, name in enumerate(stored.files):
        path = folder / f"file-{index}"
        with path.open("wb") as file:
            number = 0
            while True:
                with look() as reader:
                    body = piece(reader, stored.id, file=index, number=number)
                if body is None:
                    break
                file.write(body)
                number += 1
        uploads.append(Upload(name, path))
    return uploads


def _parts(req: falcon.Request, whole: Path, folder: Path, *, size: int) -> list[Upload]:
    uploads: list[Upload] = []
    try:
        with whole.open("rb") as file:
            form = MultipartFormHandler().deserialize(cast("Any", file), req.content_type, size)
            for part in form:
                if part.filename is None:
                    raise Invalid(
                        f"the form has a field {(part.name or '')[:64]!r} that is no file: options "
                        "go into the query",
                        code="malformed_form",
                    )
                target = folder / f"part-{len(uploads)}"
                with target.open("wb") as unpacked:
                    _copy(part.stream, unpacked)
                uploads.append(Upload(_name(part.filename), target))
    except falcon.HTTPError as error:
        raise Invalid(
            f"The form cannot be read: {error.description}", code="malformed_form"
        ) from error
    whole.unlink()
    if not uploads:
        raise Invalid("The form has no file", code="empty_file")
    return uploads


def _copy(stream: object, target: BinaryIO) -> None:
    source = cast("BinaryIO", stream)
    while block := source.read(_BLOCK):
        target.write(block)


def _name(text: str | None) -> str:
    """Give a file's name without the way to it and without what is no text."""
    name = PurePath((text or "").replace("\\", "/")).name
    kept = "".join(character for character in name if character.isprintable())
    return kept[:_LONGEST_NAME] or _UNNAMED
