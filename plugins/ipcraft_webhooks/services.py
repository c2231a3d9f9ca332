"""What the plugin gives an application: the parts of it put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tenacity.wait import wait_exponential

from ipcraft.plugin import ONCE, Application, Drain, EventSink, Job, Retries, Route
from ipcraft_webhooks.deliveries import forget_old
from ipcraft_webhooks.dispatch import Dispatcher, Subscriptions
from ipcraft_webhooks.event_types import EventTypes
from ipcraft_webhooks.notices import NOTICE, send_notice
from ipcraft_webhooks.resources import (
    DeliveriesResource,
    RedeliverResource,
    RotateSecretResource,
    TestResource,
    WebhookResource,
    WebhooksResource,
)
from ipcraft_webhooks.retries import RetryLaw
from ipcraft_webhooks.sealing import PURPOSE, Seal
from ipcraft_webhooks.sending import Sender

_TIDY = "webhooks.tidy"
_TIDY_EVERY = 3600
# For two days: a mail server may be down over a weekend's night, and nobody waits for this mail.
_MAIL_RETRIES = Retries(60, wait_exponential(multiplier=2, max=3600))
_PATH = "/api/v1/webhooks"


def event_sinks(app: Application) -> Sequence[EventSink]:
    """Give the sink."""
    return [Subscriptions(app, types=EventTypes.of(app))]


def drains(app: Application) -> Sequence[Drain]:
    """Give the drain."""
    section: Mapping[str, Any] = app.section("webhooks")
    law = RetryLaw(tuple(section["retry_schedule"]))
    return [Dispatcher(app, _sender(app), law=law, concurrency=section["concurrency"]).drain()]


def jobs(app: Application) -> Sequence[Job]:
    """Give the jobs."""
    return [
        Job(name=NOTICE, run=lambda payload: send_notice(app, payload), retries=_MAIL_RETRIES),
        Job(
            name=_TIDY,
            run=lambda payload: forget_old(app.storage, now=int(app.clock())),
            retries=ONCE,
            every=_TIDY_EVERY,
        ),
    ]


def routes(app: Application) -> Sequence[Route]:
    """Give the routes."""
    seal, types = _seal(app), EventTypes.of(app)
    one = f"{_PATH}/{{webhook_id}}"
    test = f"{one}/test"
    resources = {
        _PATH: WebhooksResource(app, seal, types),
        one: WebhookResource(app, types),
        f"{one}/deliveries": DeliveriesResource(app),
        f"{one}/deliveries/{{delivery_id}}/redeliver": RedeliverResource(app),
        test: TestResource(app, _sender(app)),
        f"{one}/rotate-secret": RotateSecretResource(app, seal),
    }
    return [
        Route(
            path,
            resource,
            actions={"POST": "manage", "PATCH": "manage", "DELETE": "manage"},
            irrevocable=("POST",) if path == test else (),
        )
        for path, resource in resources.items()
    ]


def _sender(app: Application) -> Sender:
    return Sender(app, _seal(app))


def _seal(app: Application) -> Seal:
    return Seal(lambda: app.key_for(PURPOSE))
