"""The request as it comes in: it gets its id before anything can fail."""

from __future__ import annotations

import re
import secrets
import time
from typing import Any

import falcon

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

    __slots__ = ()

    def __init__(self, env: dict[str, Any], options: falcon.RequestOptions | None = None) -> None:
        super().__init__(env, options)
        identifier = _identifier(env.get("HTTP_X_REQUEST_ID"))
        set_request_id(identifier)
        self.context.request_id = identifier
        self.context.identity = None
        self.context.client_address = env.get("REMOTE_ADDR") or ""
        self.context.started = time.perf_counter()


def _identifier(incoming: str | None) -> str:
    if incoming is not None and _SANE.fullmatch(incoming):
        return incoming
    return secrets.token_hex(16)
