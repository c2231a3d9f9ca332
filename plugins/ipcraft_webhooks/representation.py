"""Webhooks and deliveries as the API shows them."""

from __future__ import annotations

from typing import Any

from ipcraft.plugin import rfc3339
from ipcraft_webhooks.deliveries import Delivery
from ipcraft_webhooks.webhooks import Webhook


def webhook_object(webhook: Webhook) -> dict[str, Any]:
    """Give a webhook, without its secret."""
    return {
        "id": webhook.id,
        "url": webhook.url,
        "description": webhook.description,
        "event_types": list(webhook.event_types),
        "is_active": webhook.is_active,
        "failure_count": webhook.failure_count,
        "disabled_reason": webhook.disabled_reason,
        "created_at": rfc3339(webhook.created_at),
        "updated_at": rfc3339(webhook.updated_at),
    }


def delivery_object(delivery: Delivery) -> dict[str, Any]:
    """Give an attempt to deliver."""
    return {
        "id": delivery.id,
        "event_type": delivery.event_type,
        "event_id": delivery.event_id,
        "response_status": delivery.response_status,
        "duration_ms": delivery.duration_ms,
        "attempt": delivery.attempt,
        "delivered_at": _time(delivery.delivered_at),
        "response_body": delivery.response_body,
        "error": delivery.error,
        "next_attempt_at": _time(delivery.next_attempt_at),
    }


def _time(seconds: int | None) -> str | None:
    return None if seconds is None else rfc3339(seconds)
