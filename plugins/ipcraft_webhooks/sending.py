"""Sending: one signed request to a webhook's URL, and what became of it."""

from __future__ import annotations

import time

import structlog

from ipcraft.plugin import Application, Refused, Unreachable
from ipcraft_webhooks.outcomes import Outcome
from ipcraft_webhooks.queue import Endpoint
from ipcraft_webhooks.retries import wished_pause
from ipcraft_webhooks.sealing import Seal, SealBroken
from ipcraft_webhooks.signing import signed_headers

DEADLINE = 10.0
"""Seconds that an attempt may take in all."""

KEPT_BYTES = 4_096
"""Bytes of an answer that are kept."""

_RETRY_AFTER = "retry-after"

_log = structlog.get_logger("ipcraft_webhooks")


class Sender:
    """Send events to webhooks."""

    def __init__(self, app: Application, seal: Seal) -> None:
        self._app = app
        self._seal = seal

    def send(self, endpoint: Endpoint, *, event_id: str, body: str) -> Outcome:
        """Send an event's body, signed; whatever happens is an outcome."""
        now = self._app.clock()
        began = time.monotonic()
        try:
            status, answer, wish = self._post(endpoint, event_id=event_id, body=body, now=now)
        except (Refused, Unreachable, SealBroken) as error:
            return _failure(str(error), now=now, began=began)
        except Exception as error:  # noqa: BLE001 - a defect with one must not end the thread for all
            _log.exception("an attempt failed on our side", webhook_id=endpoint.webhook_id)
            return _failure(f"failed on our side: {type(error).__name__}", now=now, began=began)
        return Outcome(
            at=int(now), duration_ms=_milliseconds(began), status=status, body=answer, wish=wish
        )

    def _post(
        self, endpoint: Endpoint, *, event_id: str, body: str, now: float
    ) -> tuple[int, str, float | None]:
        content = body.encode()
        headers = {
            "Content-Type": "application/json",
            **signed_headers(
                content,
                message_id=event_id,
                timestamp=int(now),
                secrets=self._secrets(endpoint, now=now),
            ),
        }
        answer = self._app.outbound.post(
            endpoint.url, headers=headers, body=content, deadline=DEADLINE, keep=KEPT_BYTES
        )
        wish = wished_pause(answer.headers.get(_RETRY_AFTER), now=now)
        return answer.status, _readable(answer.body), wish

    def _secrets(self, endpoint: Endpoint, *, now: float) -> list[str]:
        sealed = [endpoint.secret]
        if endpoint.previous_secret is not None and now < (endpoint.previous_until or 0):
            sealed.append(endpoint.previous_secret)
        return [self._seal.open(each, webhook_id=endpoint.webhook_id) for each in sealed]


def _readable(body: bytes) -> str:
    """Give an answer as text that every database can keep."""
    return body.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


def _failure(reason: str, *, now: float, began: float) -> Outcome:
    return Outcome(at=int(now), duration_ms=_milliseconds(began), error=reason)


def _milliseconds(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
