"""Webhooks over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import falcon

from ipcraft.plugin import Application, Body, Page, Paging, Transaction, operation, send_list
from ipcraft_webhooks import deliveries, webhooks
from ipcraft_webhooks.dispatch import milliseconds
from ipcraft_webhooks.event_types import EventTypes
from ipcraft_webhooks.pings import ping
from ipcraft_webhooks.representation import (
    DeliveryObject,
    NewWebhookObject,
    SecretObject,
    WebhookObject,
    delivery_object,
    webhook_object,
)
from ipcraft_webhooks.schemas import EmptyBody, RotateBody, WebhookBody
from ipcraft_webhooks.sealing import Seal
from ipcraft_webhooks.sending import Sender
from ipcraft_webhooks.signing import new_secret
from ipcraft_webhooks.urls import check_url
from ipcraft_webhooks.webhooks import Webhook

DEFAULT_LIMIT = 50
"""Deliveries of an answer to a request that names no limit."""

MAXIMUM_LIMIT = 200
"""Deliveries that may be asked for at once."""

_NOTHING = Body(EmptyBody(), optional=True)


class WebhooksResource:
    """Answer ``/api/v1/webhooks``."""

    def __init__(self, app: Application, seal: Seal, types: EventTypes) -> None:
        self._app = app
        self._seal = seal
        self._types = types

    @operation(page=Paging(), answers={200: list[WebhookObject]})
    def on_get(self, req: falcon.Request, resp: falcon.Response, *, page: Page) -> None:
        """List the webhooks, the newest first, without their secrets."""
        with self._app.read(req.context.identity) as tx:
            rows, total = webhooks.page_of(
                tx, limit=page.limit, offset=page.offset, counted=page.asked
            )
        send_list(req, resp, rows=[webhook_object(each) for each in rows], page=page, total=total)

    @operation(body=WebhookBody(), answers={201: NewWebhookObject})
    def on_post(self, req: falcon.Request, resp: falcon.Response, *, body: dict[str, Any]) -> None:
        """Create a webhook and show its secret, this once."""
        values = _checked(self._app, self._types, body)
        webhook_id, secret = webhooks.new_webhook_id(), new_secret()
        sealed = self._seal.close(secret, webhook_id=webhook_id)

        def work(tx: Transaction) -> Webhook:
            return webhooks.create(tx, values, webhook_id=webhook_id, sealed=sealed)

        webhook = self._app.transact(req.context.identity, work)
        resp.status = falcon.HTTP_201
        shown: NewWebhookObject = {**webhook_object(webhook), "secret": secret}
        resp.media = shown


class WebhookResource:
    """Answer ``/api/v1/webhooks/{id}``."""

    def __init__(self, app: Application, types: EventTypes) -> None:
        self._app = app
        self._types = types

    @operation(answers={200: WebhookObject})
    def on_get(self, req: falcon.Request, resp: falcon.Response, webhook_id: str) -> None:
        """Show a webhook, without its secret."""
        with self._app.look(req.context.identity) as reader:
            webhook = webhooks.get(reader, webhook_id)
        resp.media = webhook_object(webhook)

    @operation(body=WebhookBody(partial=True), answers={200: WebhookObject})
    def on_patch(
        self, req: falcon.Request, resp: falcon.Response, webhook_id: str, *, body: dict[str, Any]
    ) -> None:
        """Change the given fields; what was disabled is enabled again by ``is_active``."""
        values = _checked(self._app, self._types, body)
        webhook = self._app.transact(
            req.context.identity, lambda tx: webhooks.change(tx, webhook_id, values)
        )
        resp.media = webhook_object(webhook)

    @operation(answers={204: None})
    def on_delete(self, req: falcon.Request, resp: falcon.Response, webhook_id: str) -> None:
        """Delete a webhook and the log of its deliveries."""
        self._app.transact(req.context.identity, lambda tx: webhooks.remove(tx, webhook_id))
        resp.status = falcon.HTTP_204


class DeliveriesResource:
    """Answer ``/api/v1/webhooks/{id}/deliveries``."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(
        page=Paging(default=DEFAULT_LIMIT, maximum=MAXIMUM_LIMIT),
        answers={200: list[DeliveryObject]},
    )
    def on_get(
        self, req: falcon.Request, resp: falcon.Response, webhook_id: str, *, page: Page
    ) -> None:
        """List the attempts of the last 30 days, the newest first."""
        with self._app.look(req.context.identity) as reader:
            rows, total = deliveries.page_of(
                reader, webhook_id, limit=page.limit or DEFAULT_LIMIT, offset=page.offset
            )
        send_list(req, resp, rows=[delivery_object(each) for each in rows], page=page, total=total)


class RedeliverResource:
    """Answer ``/api/v1/webhooks/{id}/deliveries/{delivery_id}/redeliver``."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(body=_NOTHING, answers={202: DeliveryObject})
    def on_post(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        webhook_id: str,
        delivery_id: str,
        *,
        body: dict[str, Any],
    ) -> None:
        """Have the same event sent again soon, and show what will be in the log."""
        now = milliseconds(self._app)
        delivery = self._app.transact(
            req.context.identity,
            lambda tx: deliveries.redeliver(tx, webhook_id, delivery_id, now_ms=now),
        )
        resp.status = falcon.HTTP_202
        resp.media = delivery_object(delivery)


class TestResource:
    """Answer ``/api/v1/webhooks/{id}/test``."""

    def __init__(self, app: Application, sender: Sender) -> None:
        self._app = app
        self._sender = sender

    @operation(
        body=_NOTHING,
        answers={200: DeliveryObject},
        errors={502: "The receiver cannot be reached, or did not take the ping."},
    )
    def on_post(
        self, req: falcon.Request, resp: falcon.Response, webhook_id: str, *, body: dict[str, Any]
    ) -> None:
        """Send a ping now and show how the receiver answered."""
        delivery = ping(self._app, self._sender, req.context.identity, webhook_id)
        resp.media = delivery_object(delivery)


class RotateSecretResource:
    """Answer ``/api/v1/webhooks/{id}/rotate-secret``."""

    def __init__(self, app: Application, seal: Seal) -> None:
        self._app = app
        self._seal = seal

    @operation(body=Body(RotateBody(), optional=True), answers={200: SecretObject})
    def on_post(
        self, req: falcon.Request, resp: falcon.Response, webhook_id: str, *, body: dict[str, Any]
    ) -> None:
        """Make a new secret and show it, this once; the old one stops now, or when it is said."""
        overlap = body["overlap_seconds"]
        secret = new_secret()
        sealed = self._seal.close(secret, webhook_id=webhook_id)
        self._app.transact(
            req.context.identity,
            lambda tx: webhooks.rotate(tx, webhook_id, sealed=sealed, overlap_seconds=overlap),
        )
        shown: SecretObject = {"secret": secret}
        resp.media = shown


def _checked(app: Application, types: EventTypes, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give values that a webhook may have. Raises `Invalid`."""
    if "url" in values:
        check_url(app, values["url"])
    if "event_types" in values:
        types.check(values["event_types"])
    return values
