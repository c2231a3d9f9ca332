"""``/api/v1/openapi.json``: the document over HTTP, made once in a process."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cached_property
from typing import Any

import falcon

from ipcraft.contributions import Route
from ipcraft.http.json_text import dumps
from ipcraft.http.operations import Content, operation

PATH = "/api/v1/openapi.json"


def document_route(make: Callable[[], dict[str, Any]]) -> Route:
    """Serve what `make` gives. It is called at the first request, when all routes are known."""
    return Route(PATH, DocumentResource(make), public=True)


class DocumentResource:
    """Answer ``/api/v1/openapi.json``."""

    def __init__(self, make: Callable[[], dict[str, Any]]) -> None:
        self._make = make

    @operation(
        answers={
            200: Content(dict[str, Any], headers={"ETag": "Changes with the document."}),
            304: Content(description="It is the one that you have."),
        }
    )
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Give this document: every route of every plugin, as OpenAPI 3.1."""
        text, tag = self._text
        resp.etag = tag
        resp.cache_control = ["no-cache"]
        if any(known in ("*", tag) for known in req.if_none_match or ()):
            resp.status = falcon.HTTP_304
            return
        resp.data = text
        resp.content_type = falcon.MEDIA_JSON

    @cached_property
    def _text(self) -> tuple[bytes, str]:
        text = dumps(self._make())
        return text, hashlib.sha256(text).hexdigest()[:32]
