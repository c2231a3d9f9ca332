"""One log line for each request, and its id on the answer."""

from __future__ import annotations

import time

import falcon
import structlog

from ipcraft.errors import Invalid
from ipcraft.http.request import HEADER


class RequestLog:
    """Falcon middleware: refuse what no part of us can use, name and log every request.

    A line has method, path template (never the path or query, which may hold secrets),
    status, duration and organization. A streamed answer is logged when it begins.
    """

    __slots__ = ("_log",)

    def __init__(self) -> None:
        self._log = structlog.get_logger("ipcraft.requests").bind()

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Refuse a NUL in path or query: no database takes one in a text."""
        if "\0" in req.path:
            raise falcon.HTTPRouteNotFound
        if "%00" in req.query_string:
            raise Invalid("The query has a NUL character in it", code="malformed_query")

    def process_response(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        resource: object,
        req_succeeded: bool,  # noqa: FBT001 - Falcon's signature
    ) -> None:
        """Send the request's id back and write its line."""
        context = req.context
        resp.set_header(HEADER, context.request_id)
        identity = context.identity
        self._log.info(
            "request",
            method=req.method,
            path=req.uri_template,
            status=resp.status_code,
            milliseconds=round((time.perf_counter() - context.started) * 1000, 2),
            organization=identity.organization_id if identity is not None else None,
        )
