"""What the plugin gives an application: the parts of it put together."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from tenacity.wait import wait_exponential

from ipcraft.plugin import Application, Job, Retries, Route
from ipcraft_plans import BillingProvider
from ipcraft_stripe import events
from ipcraft_stripe.configuration import Configuration, configuration
from ipcraft_stripe.endings import end_all
from ipcraft_stripe.following import LOOK, Follower
from ipcraft_stripe.gateway import Gateway
from ipcraft_stripe.notices import NOTICE, send_notice
from ipcraft_stripe.resources import WEBHOOK, WebhookResource
from ipcraft_stripe.selling import Selling

_RECONCILE = "stripe.reconcile"
_END = "stripe.end"
_TIDY = "stripe.tidy"
_DAY = 86_400
_END_EVERY = 300
_PATIENCE = 30.0
# For three days, as long as Stripe itself would go on.
_STRIPE_RETRIES = Retries(90, wait_exponential(multiplier=2, max=3600))
# For two days: a mail server may be down over a weekend's night.
_MAIL_RETRIES = Retries(60, wait_exponential(multiplier=2, max=3600))
# The next one comes by itself.
_RECONCILE_RETRIES = Retries(12, wait_exponential(multiplier=60, max=3600))


def providers(app: Application) -> Sequence[BillingProvider]:
    """Give the provider, if there is an API key."""
    found = configuration(app)
    if found is None:
        return []
    gateway = Gateway(found, app.outbound)
    return [Selling(app, gateway, Follower(app, gateway, found), found)]


def routes(app: Application) -> Sequence[Route]:
    """Give the endpoint, if there is an API key."""
    found = configuration(app)
    if found is None:
        return []
    return [Route(WEBHOOK, WebhookResource(app, secret=found.webhook_secret), public=True)]


def jobs(app: Application) -> Sequence[Job]:
    """Give the jobs; those that ask Stripe only where there is an API key."""
    given = [Job(name=NOTICE, run=lambda payload: send_notice(app, payload), retries=_MAIL_RETRIES)]
    found = configuration(app)
    return [*given, *_asking(app, found)] if found is not None else given


def prepare(app: Application) -> None:
    """Load the SDK, if there is an API key.

    PERF: it takes 200 ms, in which the first owner at the checkout would hold up everybody else.
    """
    if configuration(app) is not None:
        importlib.import_module("ipcraft_stripe.transport")


def _asking(app: Application, found: Configuration) -> Sequence[Job]:
    # Apart from that of the requests: neither takes the other's room.
    gateway = Gateway(found, app.outbound, patience=_PATIENCE)
    follower = Follower(app, gateway, found)

    def look(payload: Mapping[str, Any]) -> None:
        follower.look(payload["organization_id"])

    return [
        Job(name=events.FOLLOW, run=follower.follow, retries=_STRIPE_RETRIES),
        Job(name=LOOK, run=look, retries=_STRIPE_RETRIES),
        Job(
            name=_RECONCILE,
            run=lambda payload: follower.reconcile(),
            retries=_RECONCILE_RETRIES,
            every=_DAY,
        ),
        Job(name=_END, run=lambda payload: end_all(app, gateway), every=_END_EVERY),
        Job(name=_TIDY, run=lambda payload: events.tidy(app), every=_DAY),
    ]
