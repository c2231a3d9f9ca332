"""Importers: each reads the files of one system."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ipcraft.plugin import Invalid, did_you_mean
from ipcraft_interchange.entries import Broken, Found
from ipcraft_interchange.files.documents import Document

Mapped = Mapping[str, str]
"""For fields of ours, the columns that the user named for them."""


@dataclass(frozen=True, slots=True)
class Importer:
    """Read what one system writes.

    `recognizes` tells whether a document is of that system, by its header or its first items.
    `read` gives what it lists; with it come the columns that the user named, which an importer
    that knows its columns may leave alone. `repeats` says that the system may list one thing
    twice; the second is then told and left out, where it is refused otherwise. A `fallback` is
    asked when no other importer recognizes a document.
    """

    name: str
    title: str
    recognizes: Callable[[Document], bool]
    read: Callable[[Document, Mapped], Iterator[Found]]
    repeats: bool = False
    fallback: bool = False


def importer_for(
    document: Document, importers: Iterable[Importer], *, name: str | None, mapped: Mapped
) -> Importer:
    """Give the importer of a document: the one that is named, or the first that recognizes it.

    Plugins' importers are asked before ours, fallbacks last. A document whose columns the user
    named is for a fallback. Raises `Broken` when none recognizes it, `Invalid` for a name that
    nobody has.
    """
    known = {importer.name: importer for importer in importers}
    if name is not None:
        if name not in known:
            raise unknown_format(name, list(known))
        return known[name]
    for importer in sorted(known.values(), key=lambda importer: importer.fallback):
        if (importer.fallback or not mapped) and importer.recognizes(document):
            return importer
    if document.break_in_sample:
        raise document.break_in_sample
    raise Broken(f"no importer knows this: {_gist(document)}", line=1)


def unknown_format(name: str, known: Sequence[str]) -> Invalid:
    """Make the refusal of a format that nobody reads."""
    return Invalid.field(
        "format",
        f"there is no format {name!r:.64}{did_you_mean(name, known)} (known: {', '.join(known)})",
        code="unknown_format",
    )


def _gist(document: Document) -> str:
    if document.form == "table":
        return f"a table with the columns {', '.join(document.header)}"[:500]
    if document.form == "json":
        keys = dict.fromkeys(item.key or "a list" for item in document.sample)
        return f"JSON with {', '.join(keys) or 'nothing in it'}"[:500]
    return "an SQL dump"
