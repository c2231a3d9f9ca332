"""Files on their way to a server: one as the body itself, several as a form."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

_MOST_WITH_KEY = (16 << 20) - (64 << 10)
"""Bytes that a server takes together with a key, less those of a form around the files."""

_FORM_FIELD = "file"
_BINARY = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Files:
    """Be the body of a request: the same bytes each time it is sent."""

    paths: Sequence[Path]
    boundary: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def are_few(self) -> bool:
        """Tell whether they may be sent with a key. Raises `OSError`."""
        return sum(path.stat().st_size for path in self.paths) <= _MOST_WITH_KEY

    @contextmanager
    def opened(self) -> Iterator[tuple[BinaryIO | bytes, str]]:
        """Give the body and its type. Raises `OSError`."""
        if len(self.paths) == 1:
            with self.paths[0].open("rb") as file:
                yield file, _BINARY
            return
        from urllib3.filepost import encode_multipart_formdata

        fields = [(_FORM_FIELD, (path.name, path.read_bytes(), _BINARY)) for path in self.paths]
        yield encode_multipart_formdata(fields, boundary=self.boundary)
