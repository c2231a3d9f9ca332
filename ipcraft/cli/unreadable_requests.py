"""Requests that cannot be read: no HTTP, or larger than a request may be.

No application sees them. They are refused in the shape that all errors have, and the connection
ends there.
"""

from __future__ import annotations

import secrets
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import structlog
from gunicorn import util
from gunicorn.http import errors

from ipcraft.context import set_request_id
from ipcraft.http.errors import CODES, ErrorObject
from ipcraft.http.json_text import dumps
from ipcraft.http.request import HEADER

LINE_LIMIT = 8190
"""Bytes of a request line, path and query among them; gunicorn reads no longer ones."""

_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Refusal:
    """Hold how a request is refused."""

    status: HTTPStatus
    message: str
    code: str

    def encode(self, identifier: str) -> bytes:
        """Write the whole answer."""
        content = dumps(
            ErrorObject(error=self.message, code=self.code, request_id=identifier),
        )
        lines = (
            f"HTTP/1.1 {int(self.status)} {self.status.phrase}",
            f"Date: {util.http_date()}",
            "Connection: close",
            "Content-Type: application/json",
            f"Content-Length: {len(content)}",
            f"{HEADER}: {identifier}",
            "",
            "",
        )
        return "\r\n".join(lines).encode("ascii") + content


def _usual(status: HTTPStatus, message: str) -> Refusal:
    return Refusal(status, message, CODES[status])


_REFUSALS: Mapping[type[Exception], Refusal] = {
    errors.LimitRequestLine: _usual(
        HTTPStatus.REQUEST_URI_TOO_LONG,
        f"The request line is longer than {LINE_LIMIT} bytes; ask for less in path and query",
    ),
    errors.LimitRequestHeaders: _usual(
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        "There are too many headers, or one is too long",
    ),
    errors.ExpectationFailed: _usual(
        HTTPStatus.EXPECTATION_FAILED,
        "The only expectation that can be met is 100-continue",
    ),
    errors.UnsupportedTransferCoding: _usual(
        HTTPStatus.NOT_IMPLEMENTED,
        "The only transfer coding that is read is chunked",
    ),
}

_OURS = (
    errors.ConfigurationProblem,
    *(
        getattr(errors, name)
        for name in ("InvalidResponseHeader", "InvalidResponseHeaderName")
        if hasattr(errors, name)  # gunicorn has them since it tells them from the client's
    ),
)
"""Parse errors that no client is to blame for."""

_log = structlog.get_logger("ipcraft.http")


def refuse(client: socket.socket, address: Any, error: BaseException) -> None:
    """Answer in the server's name what the application could not answer."""
    identifier = secrets.token_hex(16)
    set_request_id(identifier)
    refusal = _refusal(error)
    if refusal.status is HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("a request failed outside the application", exc_info=error)
    else:
        _log.warning(
            "a request cannot be read",
            client=address[0] if address else None,
            status=int(refusal.status),
            reason=str(error)[:_SHOWN],
        )
    with suppress(OSError):  # the client has gone
        util.write_nonblock(client, refusal.encode(identifier))


def _refusal(error: BaseException) -> Refusal:
    if not isinstance(error, errors.ParseException) or isinstance(error, _OURS):
        message = "Something failed on our side; the log tells more under this request_id"
        return _usual(HTTPStatus.INTERNAL_SERVER_ERROR, message)
    for kind, refusal in _REFUSALS.items():
        if isinstance(error, kind):
            return refusal
    message = f"The request is not HTTP as we read it: {str(error)[:_SHOWN]}"
    return Refusal(HTTPStatus.BAD_REQUEST, message, code="malformed_request")
