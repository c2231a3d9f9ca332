"""The transport: what the SDK sends, sent by our own client.

The SDK's transports wait anew for each byte and read without bound. Ours has a deadline for
everything together, and keeps so much of an answer and no more. Imported where it is used, since
the SDK takes 200 ms.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import stripe

from ipcraft.plugin import Outbound, OutboundError

DEADLINE = 5.0
"""Seconds that a request may take in all."""

_KEEP = 1024 * 1024


class Transport(stripe.HTTPClient):
    """Carry the SDK's requests to the one server that the settings name."""

    name = "ipcraft"

    def __init__(self, outbound: Outbound) -> None:
        super().__init__()
        self._outbound = outbound

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        """Send a request and give its answer. Raises `stripe.APIConnectionError`."""
        try:
            answer = self._outbound.exchange(
                method.upper(),
                url,
                headers=headers or {},
                body=(post_data or "").encode(),
                deadline=DEADLINE,
                keep=_KEEP,
                # The SDK gives each POST a key of idempotency, so it may arrive twice.
                repeatable=True,
            )
        except OutboundError as error:
            raise stripe.APIConnectionError(error.reason, should_retry=False) from error
        return answer.body.decode("utf-8", "replace"), answer.status, answer.headers

    def close(self) -> None:
        """Do nothing: the application closes its connections."""
