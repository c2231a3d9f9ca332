"""Webhooks and deliveries as the API shows them."""

from __future__ import annotations

from typing import Annotated, TypedDict

from msgspec import Meta

from ipcraft.plugin import Timestamp, rfc3339
from ipcraft_webhooks.deliveries import Delivery
from ipcraft_webhooks.webhooks import Webhook

Secret = Annotated[
    str,
    Meta(examples=["whsec_5f0c7e1a9b3d2846c0e7f1a8b9d3c2465f0c7e1a9b3d2846c0e7f1a8b9d3c246"]),
]


class WebhookObject(TypedDict):
    """A webhook, without its secret."""

    id: Annotated[str, Meta(examples=["wh_01m8mx9a8eeex9jf5awy145j01"])]
    url: Annotated[str, Meta(examples=["https://example.com/webhooks/ipcraft"])]
    description: Annotated[str, Meta(examples=["CMDB sync"])] | None
    event_types: Annotated[
        list[str],
        Meta(description="None is all of them.", examples=[["subnet.created", "subnet.deleted"]]),
    ]
    is_active: bool
    failure_count: Annotated[int, Meta(ge=0, examples=[0])]
    disabled_reason: str | None
    created_at: Timestamp
    updated_at: Timestamp


class NewWebhookObject(WebhookObject):
    """A webhook that was just created, with its secret, this once."""

    secret: Secret


class SecretObject(TypedDict):
    """A new secret, this once."""

    secret: Secret


class DeliveryObject(TypedDict):
    """An attempt to deliver."""

    id: Annotated[str, Meta(examples=["del_01m8mx9a8eeex9jf5ax2ca169n"])]
    event_type: Annotated[str, Meta(examples=["subnet.created"])]
    event_id: Annotated[str, Meta(examples=["evt_01m8mx9a8eeex9jf5ax9zz2v6a"])]
    response_status: Annotated[int, Meta(examples=[200])] | None
    duration_ms: Annotated[int, Meta(ge=0, examples=[142])] | None
    attempt: Annotated[int, Meta(ge=1, examples=[1])]
    delivered_at: Timestamp | None
    response_body: Annotated[str, Meta(examples=["ok"])] | None
    error: Annotated[str, Meta(description="Why there was no answer.")] | None
    next_attempt_at: Timestamp | None


def webhook_object(webhook: Webhook) -> WebhookObject:
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


def delivery_object(delivery: Delivery) -> DeliveryObject:
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


def _time(seconds: int | None) -> Timestamp | None:
    return None if seconds is None else rfc3339(seconds)
