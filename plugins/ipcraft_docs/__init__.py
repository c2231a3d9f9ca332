"""The API's documentation for people: ``/docs``, where a call can be tried with an API key."""

from __future__ import annotations

from collections.abc import Sequence

from ipcraft.plugin import Route, hookimpl
from ipcraft_docs.resources import FileResource, PageResource

API = 1


@hookimpl
def ipcraft_routes() -> Sequence[Route]:
    """Serve the page and its files, to everybody: they say nothing of anybody."""
    return [
        Route("/docs", PageResource(), public=True),
        Route("/docs/{name}", FileResource(), public=True),
    ]
