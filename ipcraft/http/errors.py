"""Errors as the API answers them: one JSON shape, whoever raised.

``{"error": "<a sentence>", "code": "<snake_case>", "request_id": "...", "fields": {...}}``;
`fields` only where the input was at fault.

::

    RequestError                (ipcraft.errors, for the domain)
    |-- LengthRequired      411   the server cannot tell where the body ends
    |-- PreconditionFailed  412   what is there is not what the client named
    |-- BodyTooLarge        413   the body is larger than the route takes
    |-- AnswerTooLarge      413   the answer is too large to be kept
    |-- WrongMediaType      415   the body is not the JSON the route takes
    `-- KeyReused           422   another request came with this Idempotency-Key before
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NotRequired, TypedDict, TypeVar

import falcon
import structlog
from msgspec import Meta

from ipcraft.answers.keeping import AnswerTooLarge, KeyReused, StillRunning
from ipcraft.errors import (
    BadGateway,
    Conflict,
    Contention,
    Forbidden,
    Invalid,
    LimitReached,
    NotFound,
    RateLimited,
    RequestError,
    Unauthenticated,
    Unavailable,
)
from ipcraft.http.json_text import dumps

T = TypeVar("T")


class LengthRequired(RequestError):
    """Refuse a body whose end the server cannot tell."""

    code = "length_required"


class PreconditionFailed(RequestError):
    """Refuse a request whose condition what is there does not meet."""

    code = "precondition_failed"


class BodyTooLarge(RequestError):
    """Refuse a body larger than the route takes."""

    code = "body_too_large"


class WrongMediaType(RequestError):
    """Refuse a body of a type, encoding or charset the route does not take."""

    code = "unsupported_media_type"


class ErrorObject(TypedDict):
    """What every error answers with."""

    error: Annotated[
        str,
        Meta(
            description="A sentence that a person can act on.",
            examples=["Subnet overlaps with existing subnet 10.0.0.0/16"],
        ),
    ]
    code: Annotated[
        str,
        Meta(description="A word that programs may match on.", examples=["subnet_overlap"]),
    ]
    request_id: Annotated[
        str,
        Meta(
            description="The id of the request, to find it in the log.",
            examples=["2f1c9c0c4a3c4b0e8f6f0d1f5f3a9b7d"],
        ),
    ]
    fields: NotRequired[
        Annotated[
            dict[str, list[str]],
            Meta(
                description="Where the input was at fault: what is wrong with each field of it.",
                examples=[{"network": ["network has host bits set; did you mean 10.0.0.0/16?"]}],
            ),
        ]
    ]


_STATUSES: dict[type[RequestError], int] = {
    RequestError: 400,
    Invalid: 400,
    Unauthenticated: 401,
    LimitReached: 402,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    LengthRequired: 411,
    PreconditionFailed: 412,
    BodyTooLarge: 413,
    AnswerTooLarge: 413,
    WrongMediaType: 415,
    KeyReused: 422,
    RateLimited: 429,
    BadGateway: 502,
    Unavailable: 503,
}

_HEADERS: dict[type[RequestError], dict[str, str]] = {
    Unauthenticated: {"WWW-Authenticate": "Bearer"},
    Contention: {"Retry-After": "1"},
    StillRunning: {"Retry-After": "1"},
    Unavailable: {"Retry-After": "2"},
}

CODES = {
    400: "invalid",
    401: "unauthenticated",
    402: "plan_limit",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    409: "conflict",
    411: "length_required",
    412: "precondition_failed",
    413: "body_too_large",
    414: "uri_too_long",
    415: "unsupported_media_type",
    417: "expectation_failed",
    422: "unprocessable",
    429: "rate_limited",
    431: "headers_too_large",
    500: "internal",
    501: "not_implemented",
    502: "bad_gateway",
    503: "unavailable",
    504: "gateway_timeout",
}

_log = structlog.get_logger("ipcraft.http")


def install(app: falcon.App[Any, Any]) -> None:
    """Make every error of the app answer in the one shape."""
    app.set_error_serializer(_answer_falcon_error)
    app.add_error_handler(RequestError, _answer_request_error)
    app.add_error_handler(Exception, _answer_defect)


def error_body(
    req: falcon.Request,
    message: str,
    *,
    code: str,
    fields: Mapping[str, Sequence[str]] | None = None,
) -> ErrorObject:
    """Build the JSON object of an error."""
    body: ErrorObject = {
        "error": message,
        "code": code,
        "request_id": req.context.request_id,
    }
    if fields:
        body["fields"] = {name: list(found) for name, found in fields.items()}
    return body


def _answer_request_error(
    req: falcon.Request, resp: falcon.Response, error: RequestError, params: dict[str, Any]
) -> None:
    resp.set_headers(_nearest(_HEADERS, error) or {})
    body = error_body(req, error.message, code=error.code, fields=error.fields)
    _answer(resp, _nearest(_STATUSES, error) or 400, body)


def _answer_falcon_error(
    req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError
) -> None:
    status = falcon.http_status_to_code(error.status)
    code = CODES.get(status, f"http_{status}")
    _answer(resp, status, error_body(req, _sentence(req, resp, error), code=code))


def _answer_defect(
    req: falcon.Request, resp: falcon.Response, error: Exception, params: dict[str, Any]
) -> None:
    _log.error("a request failed", method=req.method, path=req.uri_template, exc_info=error)
    message = "Something failed on our side; the log tells more under this request_id"
    _answer(resp, 500, error_body(req, message, code=CODES[500]))


def _answer(resp: falcon.Response, status: int, body: ErrorObject) -> None:
    resp.status = status
    resp.text = None
    resp.stream = None
    resp.data = dumps(body)
    resp.content_type = falcon.MEDIA_JSON


def _sentence(req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError) -> str:
    if isinstance(error, falcon.HTTPMethodNotAllowed):
        return f"{req.method} is not allowed here; allowed: {resp.get_header('Allow')}"
    if isinstance(error, falcon.HTTPRouteNotFound):
        return "There is nothing at this path"
    return error.description or error.title or "The request cannot be served"


def _nearest(table: Mapping[type[RequestError], T], error: RequestError) -> T | None:
    return next((table[kind] for kind in type(error).__mro__ if kind in table), None)
