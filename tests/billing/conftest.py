"""An application that sells with the stand-in for Stripe, on the clock of both."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ipcraft.plugin import Application
from ipcraft.testing import Clock, Organization, make_application, make_organization
from ipcraft.testing.services import MailSink, StripeStandIn

from .billing import Billing

NOON = 1_800_000_000.0


@pytest.fixture
def clock() -> Clock:
    """Give the clock of the application and of Stripe."""
    return Clock(NOON)


@pytest.fixture
def stripe(clock: Clock) -> Iterator[StripeStandIn]:
    """Give the stand-in for Stripe."""
    with StripeStandIn(clock=clock) as stand_in:
        yield stand_in


@pytest.fixture
def sink() -> Iterator[MailSink]:
    """Give an SMTP server."""
    with MailSink() as sink:
        yield sink


@pytest.fixture
def application(
    database_url: str, clock: Clock, stripe: StripeStandIn, sink: MailSink
) -> Iterator[Application]:
    """Give an application that sells, and mails."""
    app = make_application(
        database_url,
        sections={"stripe": stripe.settings},
        settings={
            "default_plan": "free",
            "public_url": "https://ipam.example.com",
            "smtp_url": sink.url,
            "mail_from": "ipcraft@example.com",
        },
        clock=clock,
    )
    yield app
    app.close()


@pytest.fixture
def organization(application: Application) -> Organization:
    """Give an organization on Free, with a client of its owner."""
    return make_organization(application, plan="free")


@pytest.fixture
def billing(application: Application, stripe: StripeStandIn) -> Billing:
    """Give the way to have everything happen."""
    return Billing(application, stripe)
