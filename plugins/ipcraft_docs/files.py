"""The files of the page. All of them ship with us: a reader's browser asks nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

from ipcraft.plugin import NotFound

_TYPES: Mapping[str, str] = {
    "page.html": "text/html; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
}

PAGE = "page.html"
"""The page that the others belong to."""

NAMES = tuple(name for name in _TYPES if name != PAGE)
"""The files that the page asks for."""


@dataclass(frozen=True, slots=True)
class File:
    """Hold one file: where it lies, what it is, and a tag that changes with what is in it."""

    place: Traversable
    media_type: str
    tag: str

    @classmethod
    def of(cls, name: str) -> File:
        """Look at a file of this name."""
        place = files("ipcraft_docs") / "viewer" / name
        return cls(place, _TYPES[name], sha256(place.read_bytes()).hexdigest()[:32])

    def read(self) -> bytes:
        """Read the file; they are large and seldom asked for, so none is kept in memory."""
        return self.place.read_bytes()


def file_named(known: Mapping[str, File], name: str) -> File:
    """Give one of the known files. Raises `NotFound`."""
    if name not in known:
        raise NotFound("There is no such file")
    return known[name]
