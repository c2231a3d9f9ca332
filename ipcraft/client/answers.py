"""Answers of a server, once they are known to be whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Hold an answer.

    `body` is its JSON, None where it has none; `tag` what `If-Match` takes; `replayed` tells that
    the request was done by an earlier sending; `total` is the length of the whole list that the
    answer is a page of, `next` the URL of the next page.
    """

    status: int
    body: Any
    tag: str | None = None
    replayed: bool = False
    total: int | None = None
    next: str | None = None
