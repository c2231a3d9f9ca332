"""Every answer that these tests get is held against the document that the process itself gives."""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

import requests

from .promises import Promises

PATH = "/api/v1/openapi.json"


@cache
def _promises(server: str) -> Promises:
    answer = requests.get(server + PATH, timeout=60)
    return Promises(answer.json())


def keep_promises(response: requests.Response, *_: Any, **__: Any) -> None:
    """Be a hook of requests: fail on an answer that is not as the document says."""
    parts = urlsplit(response.url)
    method = response.request.method or ""
    breaches = _promises(f"{parts.scheme}://{parts.netloc}").breaches(
        method,
        unquote(parts.path),
        status=response.status_code,
        headers=response.headers,
        body=_body(response),
    )
    assert breaches == [], f"{breaches}: {response.text[:500]}"


def _body(response: requests.Response) -> Any:
    if not response.content:
        return None
    kind = response.headers.get("Content-Type", "").partition(";")[0]
    return response.json() if kind == "application/json" else response.content
