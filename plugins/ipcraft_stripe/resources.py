"""What Stripe tells, over HTTP."""

from __future__ import annotations

from typing import Literal, TypedDict

import falcon

from ipcraft.plugin import Application, RawBody, operation, read_body
from ipcraft_stripe import events
from ipcraft_stripe.signatures import check_signature

WEBHOOK = "/api/v1/billing/webhook"
"""The path of the endpoint that Stripe is told."""


class ReceivedObject(TypedDict):
    """Says that an event is written down."""

    received: Literal[True]


class WebhookResource:
    """Answer ``/api/v1/billing/webhook``."""

    def __init__(self, app: Application, *, secret: str) -> None:
        self._app = app
        self._secret = secret

    @operation(body=RawBody({falcon.MEDIA_JSON: None}), answers={200: ReceivedObject})
    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Write an event of Stripe's down; it is acted upon a moment later.

        Stripe signs it with the header ``Stripe-Signature``.
        """
        body = read_body(req)
        header = req.get_header("Stripe-Signature")
        check_signature(header, body, secret=self._secret, now=self._app.clock())
        told = events.read_event(body)
        if told is not None:
            events.store(self._app, told)
        received: ReceivedObject = {"received": True}
        resp.media = received
