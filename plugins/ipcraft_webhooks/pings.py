"""Pings: trying a webhook out, now and whatever its state."""

from __future__ import annotations

import orjson

from ipcraft.plugin import Application, BadGateway, Identity, new_id, rfc3339
from ipcraft_webhooks import deliveries, queue
from ipcraft_webhooks.deliveries import Delivery
from ipcraft_webhooks.event_types import PING
from ipcraft_webhooks.queue import Endpoint, Notice
from ipcraft_webhooks.sending import Sender


def ping(app: Application, sender: Sender, identity: Identity, webhook_id: str) -> Delivery:
    """Send a ping and write it into the log.

    Raises `NotFound`, and `BadGateway` when the receiver does not take it. Failures do not count.
    """
    with app.look(identity) as reader:
        endpoint = queue.endpoint_of(reader, webhook_id)
    notice = _notice(endpoint, actor=identity.user_id, now=int(app.clock()))
    outcome = sender.send(endpoint, event_id=notice.event_id, body=notice.body)
    delivery = app.transact(
        identity, lambda tx: deliveries.log_ping(tx, webhook_id, notice, outcome)
    )
    if not outcome.succeeded:
        raise BadGateway(_complaint(delivery), code="webhook_failed")
    return delivery


def _notice(endpoint: Endpoint, *, actor: str | None, now: int) -> Notice:
    event_id = new_id("evt")
    body = {
        "event": PING,
        "resource_type": "webhook",
        "resource_id": endpoint.webhook_id,
        "timestamp": rfc3339(now),
        "data": {"label": endpoint.url},
        "id": event_id,
        "organization_id": endpoint.organization_id,
        "actor": actor,
        # It is no event of the organization, so it has no place among them.
        "sequence": None,
    }
    return Notice(event_id, PING, orjson.dumps(body).decode())


def _complaint(delivery: Delivery) -> str:
    if delivery.error is not None:
        return f"The endpoint cannot be reached: {delivery.error}"
    return f"The endpoint answered {delivery.response_status} and not 2xx"
