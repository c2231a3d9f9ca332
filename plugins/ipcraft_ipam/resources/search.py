"""Search over HTTP."""

from __future__ import annotations

import falcon

from ipcraft.plugin import Application, Invalid, query_integer
from ipcraft_ipam.addresses import STATUSES
from ipcraft_ipam.search import DEFAULT_LIMIT, MOST, answer, parse


class SearchResource:
    """Find subnets and addresses."""

    def __init__(self, app: Application) -> None:
        self._app = app

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Find what matches every term, the best first, and say how each term was understood."""
        query = req.params.get("q")
        if not isinstance(query, str):
            raise Invalid.field("q", "q must be given, once: what to search for")
        terms = parse(query, statuses=STATUSES)
        limit = query_integer(req, "limit", least=1, most=MOST) or DEFAULT_LIMIT
        with self._app.look(req.context.identity) as reader:
            resp.media = answer(reader, terms, limit=limit)
