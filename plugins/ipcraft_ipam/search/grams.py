"""The pieces that texts are indexed by, and what is asked of the index for a text.

PostgreSQL: every run of `WIDTH` characters of a field with its marks, the shorter ones at its end
too, so that a piece begins at each character and a shorter text is a prefix of pieces. Each is
filed under the organization and the field's tag: what a tenant asks for is read from lists of its
own rows. One record in 32 is filed a second time, one in 1,024 a third: these samples answer
for texts that very many records have (`docs/explanation/search.md`).

SQLite: FTS5's own trigrams, and one of the organization.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum

from ipcraft_ipam.search.patterns import Pattern
from ipcraft_ipam.searchable import END, START, TAGS

WIDTH = 4
SALT = "\x03"
"""Stands for the organization in a question; the database fills it in, and takes no other."""

_TRIGRAM = 3
_MOST_PIECES = 24
"""Pieces of one text that are asked for; the records found are compared with all of it."""


class Sample(StrEnum):
    """Say which records are asked; the value is what their pieces are filed under besides."""

    THOUSANDTH = "2"
    THIRTIETH = "1"
    ALL = ""


SQLITE_MOST = {Sample.THOUSANDTH: 2_000, Sample.THIRTIETH: 20_000, Sample.ALL: -1}
"""In SQLite the first so many records are asked: it finds them one by one."""


def tsquery(patterns: Sequence[Pattern], tags: Sequence[str], sample: Sample) -> str:
    """Ask PostgreSQL for the records that have a piece of each pattern in a field of these tags."""
    return " & ".join(
        f"({' | '.join(_field(pattern, tag, sample) for tag in _tags(pattern, tags))})"
        for pattern in patterns
    )


def trigrams(patterns: Sequence[Pattern], organization_id: str) -> str | None:
    """Ask FTS5 likewise; None when a pattern is too short for it."""
    pieces = [owner_piece(organization_id)]
    for pattern in patterns:
        found = list(_spread(_windows(pattern.literal, _TRIGRAM)))
        if not found:
            return None
        pieces += found
    return " AND ".join(f'"{_doubled(piece, chr(34))}"' for piece in dict.fromkeys(pieces))


def owner_piece(organization_id: str) -> str:
    """Give the trigram of an organization: capitals, which no folded text has."""
    return organization_id[-_TRIGRAM:].upper()


def _tags(pattern: Pattern, tags: Sequence[str]) -> Sequence[str]:
    return [pattern.tag] if pattern.tag else tags


def _field(pattern: Pattern, tag: str, sample: Sample) -> str:
    marked = {"equals": f"{START}{pattern.text}{END}", "begins": f"{START}{pattern.text}"}
    text = marked.get(pattern.how, pattern.text)
    if len(text) < WIDTH:
        return f"{_lexeme(tag, text, sample)}:*"
    pieces = _spread(_windows(text, WIDTH))
    return f"({' & '.join(_lexeme(tag, piece, sample) for piece in pieces)})"


def _lexeme(tag: str, piece: str, sample: Sample) -> str:
    escaped = _doubled(_doubled(piece, "\\"), "'")
    return f"'{SALT}{sample}{tag}{escaped}'"


def _windows(text: str, width: int) -> Iterator[str]:
    return (text[start : start + width] for start in range(len(text) - width + 1))


def _spread(pieces: Iterator[str]) -> Sequence[str]:
    """Give some of the pieces, from all over the text."""
    distinct = list(dict.fromkeys(pieces))
    return distinct[:: -(-len(distinct) // _MOST_PIECES) or 1]


def _doubled(text: str, character: str) -> str:
    return text.replace(character, character * 2)


ADDRESS_TAGS = tuple(TAGS[name] for name in ("hostname", "owner", "description", "status"))
SUBNET_TAGS = tuple(TAGS[name] for name in ("name", "description"))
