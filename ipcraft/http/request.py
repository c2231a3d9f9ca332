"""The request as it comes in: it gets its id before anything can fail."""

from __future__ import annotations

import random
import re
import time
from io import BytesIO
from typing import Any

import falcon
from falcon.stream import BoundedStream

from ipcraft.context import set_request_id

HEADER = "X-Request-Id"

_SANE = re.compile(r"[!-~]{1,128}")


class Request(falcon.Request):
    """Carry what is known of it in `context`, from the start.

    `request_id`, `started`, `identity` (None until recognized) and `client_address`: a text,
    the socket's peer or, behind trusted proxies, who that speaks for. An incoming
    ``X-Request-Id`` of at most 128 visible ASCII characters is kept; otherwise the request gets
    a new one.
    """

    __slots__ = ("_body", "_kept_stream")

    def __init__(self, env: dict[str, Any], options: falcon.RequestOptions | None = None) -> None:
        self._body = b""
        self._kept_stream: BoundedStream | None = None
        super().__init__(env, options)
        identifier = _identifier(env.get("HTTP_X_REQUEST_ID"))
        set_request_id(identifier)
        self.context.request_id = identifier
        self.context.identity = None
        self.context.client_address = env.get("REMOTE_ADDR") or ""
        self.context.started = time.perf_counter()

    @property
    def bounded_stream(self) -> BoundedStream:
        """Give the body's stream: the server's, or that of a body which was kept."""
        return super().bounded_stream if self._kept_stream is None else self._kept_stream

    def keep(self, body: bytes) -> None:
        """Keep a body that was read, so that it can be read again and again."""
        self._body = body
        self.rewind()

    def rewind(self) -> None:
        """Begin anew with the body that is kept."""
        self.stream = BytesIO(self._body)
        self._kept_stream = BoundedStream(self.stream, len(self._body))


def _identifier(incoming: str | None) -> str:
    if incoming is not None and _SANE.fullmatch(incoming):
        return incoming
    # PERF: no secret; to ask the kernel for it would let other threads run.
    return f"{random.getrandbits(128):032x}"
