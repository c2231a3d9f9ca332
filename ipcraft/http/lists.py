"""Lists: pages on request, everything otherwise, long ones streamed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import falcon
import structlog

from ipcraft.errors import Invalid
from ipcraft.http.json_text import dumps

MAXIMUM_LIMIT = 1000
"""Rows of a page."""

LARGEST_OFFSET = 2**62
"""Rows to leave out; a database that adds a limit to it still counts in 64 bits."""

_log = structlog.get_logger("ipcraft.http")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Say which part of a list a client wants.

    `limit` is None for all of it. `asked` tells whether the client asked for a page: only
    then the answer counts and links.
    """

    limit: int | None = None
    offset: int = 0
    asked: bool = False

    @classmethod
    def of(
        cls, req: falcon.Request, *, default: int | None = None, maximum: int = MAXIMUM_LIMIT
    ) -> Page:
        """Read ``limit`` (1..`maximum`) and ``offset`` (from 0) of the query.

        Without a limit, `default` rows are given; all when that is None, but `maximum` after
        an offset. Raises `Invalid`.
        """
        params = req.params
        if "limit" not in params and "offset" not in params:
            return _EVERYTHING if default is None else cls(limit=default)
        limit = query_integer(req, "limit", least=1, most=maximum)
        offset = query_integer(req, "offset", least=0, most=LARGEST_OFFSET)
        return cls(limit=limit or default or maximum, offset=offset or 0, asked=True)


_EVERYTHING = Page()


def send_list(
    req: falcon.Request,
    resp: falcon.Response,
    *,
    rows: Sequence[Mapping[str, Any]],
    page: Page,
    total: int | None = None,
) -> None:
    """Answer with rows, which are the page of the list already.

    When a page was asked for, `total`, the length of the whole list, must be given; the
    answer then has ``X-Total-Count`` and ``Link`` with first, prev, next and last (RFC 8288).
    """
    if page.asked:
        set_page_headers(req, resp, page=page, total=total)
    resp.data = dumps(rows)
    resp.content_type = falcon.MEDIA_JSON


def set_page_headers(
    req: falcon.Request, resp: falcon.Response, *, page: Page, total: int | None
) -> None:
    """Set ``X-Total-Count`` and ``Link`` of a page that was asked for."""
    if total is None or page.limit is None:
        raise ValueError("a page that was asked for needs a limit and the total")
    resp.set_header("X-Total-Count", str(total))
    path = quote(req.root_path + req.path)
    links = [
        f'<{path}?{_query(req, limit=page.limit, offset=offset)}>; rel="{relation}"'
        for relation, offset in _relations(page.limit, page.offset, total=total)
    ]
    resp.set_header("Link", ", ".join(links))


def stream_list(resp: falcon.Response, pages: Iterator[Sequence[Mapping[str, Any]]]) -> None:
    """Answer with all rows of all pages, holding one page in memory at a time.

    A list that fits one page is sent whole, with its length. The second page is asked for
    before the answer begins, so an error on the way there is still an answer.
    """
    first = next(pages, ())
    second = next(pages, None)
    resp.content_type = falcon.MEDIA_JSON
    if second is None:
        resp.data = dumps(first)
    else:
        resp.stream = _array(first, second, rest=pages)


def _array(
    first: Sequence[Mapping[str, Any]],
    second: Sequence[Mapping[str, Any]],
    *,
    rest: Iterator[Sequence[Mapping[str, Any]]],
) -> Iterator[bytes]:
    yield b"[" + dumps(first)[1:-1]
    separator = b"," if first else b""
    page: Sequence[Mapping[str, Any]] | None = second
    del first, second
    while page is not None:
        if page:
            yield separator + dumps(page)[1:-1]
            separator = b","
        page = _next(rest)
    yield b"]"


def _next(pages: Iterator[Sequence[Mapping[str, Any]]]) -> Sequence[Mapping[str, Any]] | None:
    try:
        return next(pages, None)
    except Exception:
        # The answer has begun: all that is left is to cut it, so that it is no valid JSON.
        _log.exception("a streamed list was cut")
        raise


def _relations(limit: int, offset: int, *, total: int) -> Iterator[tuple[str, int]]:
    yield "first", 0
    if offset > 0:
        yield "prev", max(0, min(offset, total) - limit)
    if offset + limit < total:
        yield "next", offset + limit
    yield "last", max(0, (total - 1) // limit * limit)


def _query(req: falcon.Request, *, limit: int, offset: int) -> str:
    return urlencode({**req.params, "limit": limit, "offset": offset}, doseq=True)


def query_integer(req: falcon.Request, name: str, *, least: int, most: int) -> int | None:
    """Read an integer of the query, None where there is none. Raises `Invalid`."""
    text = req.params.get(name)
    if text is None:
        return None
    if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 20:
        number = int(text)
        if least <= number <= most:
            return number
    bound = f"from {least} to {most}" if most != LARGEST_OFFSET else f"from {least}"
    raise Invalid.field(name, f"{name} must be one integer {bound}")
