"""What is the same everywhere, and so no plugin has to say: headers, errors, credentials."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import ipcraft
from ipcraft.contributions import Route
from ipcraft.http import conditions, forgery, rate_limits, request, writes
from ipcraft.http.errors import CODES, ErrorObject
from ipcraft.http.operations import Operation

SAFE = ("get", "head", "options")

_DESCRIPTION = """\
Bodies and answers are JSON in UTF-8. Times are UTC, in whole seconds; ids are opaque.

Send an API key as `Authorization: Bearer ipc_...`, or the cookie of somebody who signed in.
An answer may have more keys than are shown here: later versions add some.
"""

_ERRORS: Mapping[int, tuple[str, str]] = {
    400: ("BadRequest", "The request breaks a rule: `error` says which, `fields` where."),
    401: ("Unauthenticated", "There are no credentials, or bad ones."),
    402: ("PlanLimit", "The organization's plan does not include this."),
    403: ("Forbidden", "The role is too low, or a cookie's write may be forged."),
    404: ("NotFound", "The organization has no such thing."),
    409: (
        "Conflict",
        "What is there does not allow this, or a request with this key is still running.",
    ),
    411: ("LengthRequired", "The server cannot tell where the body ends."),
    412: ("PreconditionFailed", "What is there is not what `If-Match` or `If-None-Match` says."),
    413: ("BodyTooLarge", "The body is larger than this takes."),
    414: ("UriTooLong", "Path and query together are longer than the server reads, about 8 KB."),
    415: ("UnsupportedMediaType", "The body is of a type or encoding that this does not take."),
    422: ("KeyReused", "Another request came with this `Idempotency-Key` before."),
    429: ("RateLimited", "Too many requests came in too short a time."),
    431: ("HeadersTooLarge", "A header has more than about 8 KB, or there are too many."),
    500: ("Internal", "Something failed on our side; the log tells more under the `request_id`."),
    503: ("Unavailable", "A part that this depends on cannot be used now; try again later."),
}

_HEADERS: Mapping[str, dict[str, Any]] = {
    request.HEADER: {
        "description": "The id of the request, as it was sent or made; it is in every log line.",
        "schema": {"type": "string", "examples": ["2f1c9c0c4a3c4b0e8f6f0d1f5f3a9b7d"]},
    },
    rate_limits.POLICY: {
        "description": "The limits there are: requests `q` in `w` seconds. "
        "Left out where nothing is limited.",
        "schema": {"type": "string", "examples": ['"organization";q=30;w=1']},
    },
    rate_limits.STATE: {
        "description": "What is left of each limit: `r` requests, all again in `t` seconds. "
        "Left out where nothing is limited.",
        "schema": {"type": "string", "examples": ['"organization";r=29;t=1']},
    },
    "Retry-After": {
        "description": "Seconds after which another try may do.",
        "schema": {"type": "integer", "minimum": 0, "examples": [1]},
    },
    "WWW-Authenticate": {
        "description": "How to send credentials.",
        "schema": {"type": "string", "examples": ["Bearer"]},
    },
    "ETag": {
        "description": "A tag that changes with what is shown; lists have none.",
        "schema": {"type": "string", "examples": ['"5d41402abc4b2a76b9719d911017c592"']},
    },
    writes.DRY: {
        "description": "Says that the write was tried and not done.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    writes.REPLAYED: {
        "description": "Says that this answer was given before, for the same `Idempotency-Key`.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Link": {
        "description": "The first, previous, next and last page (RFC 8288), "
        "when `limit` or `offset` is given.",
        "schema": {"type": "string", "examples": ['</api/v1/x?limit=50&offset=0>; rel="first"']},
    },
    "X-Total-Count": {
        "description": "How many there are in all, when `limit` or `offset` is given.",
        "schema": {"type": "integer", "minimum": 0, "examples": [120]},
    },
}

_ANY_ERROR = (
    request.HEADER,
    rate_limits.POLICY,
    rate_limits.STATE,
    writes.DRY,
    writes.REPLAYED,
)
_NOT_MODIFIED: Mapping[str, Any] = {
    "description": "It is the one that the client has.",
    "headers": {
        name: {"$ref": f"#/components/headers/{name}"}
        for name in (request.HEADER, "ETag", rate_limits.POLICY, rate_limits.STATE)
    },
}
_NAMES: Mapping[int, str] = {304: "NotModified"} | {
    status: name for status, (name, _) in _ERRORS.items()
}
_ERROR_HEADERS: Mapping[int, tuple[str, ...]] = {
    401: ("WWW-Authenticate",),
    409: ("Retry-After",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}

_PARAMETERS: Mapping[str, dict[str, Any]] = {
    "RequestId": {
        "name": request.HEADER,
        "in": "header",
        "description": "An id for the request, of up to 128 visible ASCII characters; "
        "without one it gets one.",
        "schema": {"type": "string"},
    },
    "IfNoneMatch": {
        "name": conditions.NONE_MATCH,
        "in": "header",
        "description": "The tag of what the client has already: then the answer is 304.",
        "schema": {"type": "string", "pattern": conditions.PATTERN},
    },
    "IfMatch": {
        "name": conditions.MATCH,
        "in": "header",
        "description": "The tag of what the client read: the write is done only if it is still "
        "the one.",
        "schema": {"type": "string", "pattern": conditions.PATTERN},
    },
    "IdempotencyKey": {
        "name": writes.KEY,
        "in": "header",
        "description": "A name for the request, such as a UUID: it is done once, however often it "
        "is sent within a day.",
        "schema": {
            "type": "string",
            "minLength": 1,
            "maxLength": writes.LONGEST_KEY,
            "pattern": writes.KEY_PATTERN,
        },
    },
    "DryRun": {
        "name": writes.DRY_RUN,
        "in": "query",
        "description": "Try the write: the same checks and the same answer, and nothing is kept.",
        "schema": {"type": "boolean"},
    },
    "RequestedWith": {
        "name": forgery.HEADER,
        "in": "header",
        "description": "Shows that a write with a session's cookie comes from our own pages: "
        "it needs this. A write with an API key does not.",
        "schema": {"type": "string", "examples": [forgery.VALUE]},
    },
}


def info() -> dict[str, Any]:
    """Say what the document is of."""
    return {
        "title": "IPCraft",
        "version": ipcraft.__version__,
        "summary": "IP address management: networks, addresses and who has them.",
        "description": _DESCRIPTION,
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    }


def components() -> dict[str, dict[str, Any]]:
    """Give the parts that operations refer to."""
    return {
        "parameters": dict(_PARAMETERS),
        "headers": dict(_HEADERS),
        "responses": {
            "NotModified": _NOT_MODIFIED,
            **{name: _error(status, text) for status, (name, text) in _ERRORS.items()},
        },
    }


def parameters(route: Route, method: str) -> list[dict[str, Any]]:
    """Give what every request, or every write, may carry."""
    names = ["RequestId"]
    if not route.public:
        names += ["IfNoneMatch"] if method in SAFE else ["RequestedWith"]
    if _is_careful(route, method):
        names += ["IdempotencyKey", "IfMatch", "DryRun"]
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]


def headers(route: Route, method: str, operation: Operation) -> dict[str, Any]:
    """Give the headers of an answer that went well."""
    names = [request.HEADER]
    if route.limit is not None or not route.public:
        names += [rate_limits.POLICY, rate_limits.STATE]
    if operation.page is not None:
        names += ["Link", "X-Total-Count"]
    if not route.public and method in SAFE:
        names.append("ETag")
    if _is_careful(route, method):
        names += [writes.DRY, writes.REPLAYED]
    return _headers(names)


def others(route: Route, method: str, operation: Operation) -> dict[str, Any]:
    """Give the answers without what was asked for: nothing new, or what went wrong.

    Those that the operation names are among them.
    """
    common = {
        str(status): {"$ref": f"#/components/responses/{_NAMES[status]}"}
        for status in _statuses(route, method, operation)
    }
    own = {str(status): _error(status, text) for status, text in operation.errors.items()}
    return common | own


def _statuses(route: Route, method: str, operation: Operation) -> Iterator[int]:
    yield from (400, 414, 431)
    if not route.public:
        yield from (401, 402, 403)
    if "{" in route.path:
        yield 404
    if method not in SAFE:
        yield 409
    if operation.body is not None:
        yield 415
    if operation.body is not None or _is_careful(route, method):
        yield from (411, 413)
    if not route.public and method in SAFE:
        yield from (304, 412)
    if _is_careful(route, method):
        yield from (412, 422)
    if route.limit is not None or not route.public:
        yield 429
    yield from (500, 503)


def _is_careful(route: Route, method: str) -> bool:
    """Tell whether a write can be sent again, sent on a condition and tried."""
    return not (method in SAFE or route.public or method.upper() in route.irrevocable)


def _error(status: int, text: str) -> dict[str, Any]:
    example: ErrorObject = {
        "error": text.replace("`", ""),
        "code": CODES.get(status, f"http_{status}"),
        "request_id": "2f1c9c0c4a3c4b0e8f6f0d1f5f3a9b7d",
    }
    return {
        "description": text,
        "headers": _headers([*_ANY_ERROR, *_ERROR_HEADERS.get(status, ())]),
        "content": {
            "application/json": {
                "schema": {"$ref": f"#/components/schemas/{ErrorObject.__name__}"},
                "example": example,
            }
        },
    }


def _headers(names: list[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
