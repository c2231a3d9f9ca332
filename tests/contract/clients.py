"""A bare HTTP client: nothing is added to a request but the key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import requests

from .kept import keep_promises

TIMEOUT = 60
"""Seconds after which an answer no longer counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Send requests to the served process, with an API key or without credentials."""

    url: str
    key: str | None

    def call(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send a request whose body, if any, is JSON."""
        return requests.request(
            method,
            self.url + path,
            json=json,
            params=params,
            headers={**self._credentials(), **(headers or {})},
            timeout=TIMEOUT,
            hooks={"response": keep_promises},
        )

    def send(
        self,
        path: str,
        body: bytes | Iterable[bytes],
        *,
        method: str = "POST",
        content_type: str = "application/json",
    ) -> requests.Response:
        """Send a body byte by byte as given; an iterable goes out chunked, without a length."""
        return requests.request(
            method,
            self.url + path,
            data=body,
            headers={**self._credentials(), "Content-Type": content_type},
            timeout=TIMEOUT,
            hooks={"response": keep_promises},
        )

    def _credentials(self) -> dict[str, str]:
        return {} if self.key is None else {"Authorization": f"Bearer {self.key}"}
