"""Search over HTTP."""

from __future__ import annotations

from typing import Any

import falcon

from ipcraft.plugin import Application, operation
from ipcraft_ipam.addresses import STATUSES
from ipcraft_ipam.schemas import SearchQuery
from ipcraft_ipam.search import FoundObject, answer, parse


class SearchResource:
    """Find subnets, addresses, VLANs, VRFs and folders."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(query=SearchQuery(), answers={200: FoundObject})
    def on_get(self, req: falcon.Request, resp: falcon.Response, *, query: dict[str, Any]) -> None:
        """Find what matches every term, the best first, and say how each term was understood."""
        terms = parse(query["q"], statuses=STATUSES)
        with self._app.look(req.context.identity) as reader:
            resp.media = answer(reader, terms, limit=query["limit"])
