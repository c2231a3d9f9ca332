"""What Stripe tells, over HTTP."""

from __future__ import annotations

import falcon

from ipcraft.plugin import Application, read_body
from ipcraft_stripe import events
from ipcraft_stripe.signatures import check_signature

WEBHOOK = "/api/v1/billing/webhook"
"""The path of the endpoint that Stripe is told."""


class WebhookResource:
    """Answer ``/api/v1/billing/webhook``."""

    def __init__(self, app: Application, *, secret: str) -> None:
        self._app = app
        self._secret = secret

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Write an event of Stripe's down; it is acted upon a moment later."""
        body = read_body(req)
        header = req.get_header("Stripe-Signature")
        check_signature(header, body, secret=self._secret, now=self._app.clock())
        told = events.read_event(body)
        if told is not None:
            events.store(self._app, told)
        resp.media = {"received": True}
