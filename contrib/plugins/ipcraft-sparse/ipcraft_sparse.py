"""Take addresses far from each other, so that each has room to grow; list what is free."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush
from itertools import islice
from random import randint
from typing import Annotated, Any, TypedDict

import falcon
from marshmallow import fields
from msgspec import Meta

from ipcraft.plugin import Application, Query, Route, hookimpl, operation
from ipcraft_ipam import AllocationStrategy, FreeSpace, Span, format_address, parse_address

API = 1
WINDOW = 64
"""How many gaps are compared, however many there are: the next address costs the same always."""
MOST = 1000
"""How many gaps one answer lists."""


@hookimpl
def ipcraft_allocation_strategies() -> Sequence[AllocationStrategy]:
    """Give the strategy `sparse`."""
    return [AllocationStrategy("sparse", sparse)]


@hookimpl
def ipcraft_routes(app: Application) -> Sequence[Route]:
    """Serve the gaps of a subnet."""
    return [Route("/api/v1/subnets/{subnet_id}/gaps", Gaps(app))]


def sparse(space: FreeSpace, count: int) -> Iterator[int]:
    """Prefer the middle of the widest gap, again and again; of many gaps, look at some."""
    found = list(islice(space.spans(), WINDOW))
    if len(found) == WINDOW:
        start = randint(space.usable.first, space.usable.last)
        found = list(islice(space.spans(start), WINDOW))
    gaps = [(-span.size, span.first, span.last) for span in found]
    heapify(gaps)
    while gaps:
        _, first, last = heappop(gaps)
        middle = (first + last) // 2
        yield middle
        for half in (Span(first, middle - 1), Span(middle + 1, last)):
            if half.size:
                heappush(gaps, (-half.size, half.first, half.last))
    for span in space.spans():
        yield from range(span.first, span.last + 1)


class GapsQuery(Query):
    """Say where to begin."""

    start = fields.String(metadata={"description": "Addresses from this one on."})


class GapObject(TypedDict):
    """A free span."""

    first: Annotated[str, Meta(examples=["10.0.1.5"])]
    last: Annotated[str, Meta(examples=["10.0.1.9"])]
    size: Annotated[int, Meta(ge=1, examples=[5])]


class Gaps:
    """Answer ``/api/v1/subnets/{subnet_id}/gaps``."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(query=GapsQuery(), answers={200: list[GapObject]})
    def on_get(
        self, req: falcon.Request, resp: falcon.Response, subnet_id: str, *, query: dict[str, Any]
    ) -> None:
        """List up to 1000 free spans in order, with ``?start=ADDRESS`` from there on."""
        start = query.get("start")
        with self._app.read(req.context.identity) as tx:
            free = FreeSpace.of(tx, subnet_id)
            spans = free.spans(None if start is None else parse_address(start, field="start"))
            resp.media = [_gap(span) for span in islice(spans, MOST)]


def _gap(span: Span) -> GapObject:
    first, last = format_address(span.first), format_address(span.last)
    return {"first": first, "last": last, "size": span.size}
