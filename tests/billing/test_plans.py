"""An organization's plan follows what it pays for."""

from __future__ import annotations

import pytest

from ipcraft.plugin import Application, Statement
from ipcraft.testing import Clock, Organization, make_organization
from ipcraft.testing.services import MailSink, StripeStandIn
from ipcraft_accounts import change_plan

from .billing import CHECKOUT, Billing

DAY_HOURS = 24


def test_who_pays_gets_the_plan(billing: Billing, organization: Organization) -> None:
    """The limits of the plan are there with the next request after Stripe has told of it."""
    assert billing.plan(organization) == "free"
    url = organization.client.post(CHECKOUT).json["url"]
    assert billing.plan(organization) == "free"
    billing.stripe.pay_at(url)
    billing.tell()
    assert billing.plan(organization) == "pro"
    made = organization.client.post("/api/v1/sections", json={"name": "Bought"})
    assert made.status_code == 201  # with a key, which only looks on Free


def test_teams_is_sold_too(billing: Billing, organization: Organization) -> None:
    """The body names the plan."""
    billing.buy(organization, "teams")
    assert billing.plan(organization) == "teams"
    assert organization.client.get("/api/v1/billing/plan").json["limits"]["users"] == 5
