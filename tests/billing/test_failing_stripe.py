"""Stripe stalls, lies, is gone: who asks is told so in time, and nothing is lost."""

from __future__ import annotations

import time
from threading import Thread

import pytest

from ipcraft.plugin import Application, BadGateway
from ipcraft.testing import Clock, Organization, make_organization
from ipcraft.testing.services import StripeStandIn
from ipcraft.testing.services.stripe_stand_in import Manner
from ipcraft_stripe.transport import DEADLINE

from .billing import CHECKOUT, PORTAL, Billing

SLACK = 5.0


@pytest.mark.parametrize("path", [CHECKOUT, PORTAL])
@pytest.mark.parametrize("manner", ["reset", "failing", "page", "busy"])
def test_a_failure_is_a_502(
    organization: Organization, stripe: StripeStandIn, path: str, manner: Manner
) -> None:
    """In the shape of every error; when Stripe is well again the next request succeeds."""
    stripe.manner = manner
    answer = organization.client.post(path)
    assert (answer.status_code, answer.json["code"]) == (502, "bad_gateway")
    assert "Stripe" in answer.json["error"]
    stripe.manner = "whole"
    assert organization.client.post(path).status_code == 200


@pytest.mark.parametrize("manner", ["silent", "drip"])
def test_who_waits_is_told_within_five_seconds(
    organization: Organization, stripe: StripeStandIn, manner: Manner
) -> None:
    """A byte a second is no answer."""
    stripe.manner = manner
    began = time.monotonic()
    assert organization.client.post(CHECKOUT).status_code == 502
    assert time.monotonic() - began < DEADLINE + SLACK


def test_a_wrong_key_is_the_operators_affair(
    application: Application, stripe: StripeStandIn, organization: Organization
) -> None:
    """The owner is not told what Stripe says of it."""
    stripe.desk.key = "sk_test_another"
    answer = organization.client.post(CHECKOUT)
    assert answer.status_code == 502
    assert "sk_test" not in answer.text


def test_a_failed_checkout_is_not_failed_for_a_day(
    organization: Organization, stripe: StripeStandIn
) -> None:
    """Stripe repeats a failure to whoever comes with the same key of idempotency."""
    organization.client.post(PORTAL)  # there is a customer
    stripe.manner = "failing"
    assert organization.client.post(CHECKOUT).status_code == 502
    stripe.manner = "whole"
    assert organization.client.post(CHECKOUT).status_code == 200


def test_a_lost_answer_makes_no_second_customer(
    organization: Organization, stripe: StripeStandIn
) -> None:
    """The request arrived and its answer did not: the same key gives the same again."""
    stripe.desk.forgetful = True
    assert organization.client.post(CHECKOUT).status_code == 502
    stripe.desk.forgetful = False
    assert organization.client.post(CHECKOUT).status_code == 200
    assert len(stripe.ledger.customers) == 1


def test_an_event_waits_until_stripe_answers(
    billing: Billing, organization: Organization, stripe: StripeStandIn, clock: Clock
) -> None:
    """What cannot be looked up now is looked up later; the webhook is answered all the same."""
    stripe.pay_at(organization.client.post(CHECKOUT).json["url"])
    stripe.manner = "reset"
    assert set(stripe.post.deliver(billing.hook)) == {200}
    billing.work()
    assert billing.plan(organization) == "free"
    stripe.manner = "whole"
    clock.advance(hours=1)
    billing.work()
    assert billing.plan(organization) == "pro"


def test_the_night_goes_on_after_one_bad_customer(
    application: Application, organization: Organization, stripe: StripeStandIn, clock: Clock
) -> None:
    """What Stripe answers with an error is looked at the next night; an outage is tried again."""
    organization.client.post(CHECKOUT)
    clock.advance(hours=24)
    stripe.manner = "reset"
    with pytest.raises(BadGateway):
        application.jobs["stripe.reconcile"].run({})
    stripe.manner = "failing"
    application.jobs["stripe.reconcile"].run({})
    stripe.manner = "whole"
    asked = len(stripe.desk.asked)
    application.jobs["stripe.reconcile"].run({})
    assert len(stripe.desk.asked) == asked


def test_few_wait_for_stripe_at_once(
    application: Application, organization: Organization, stripe: StripeStandIn
) -> None:
    """A third is told to come again at once: the process has others to serve."""
    stripe.desk.open.clear()
    others = [make_organization(application) for _ in range(2)]
    waiting = [Thread(target=each.client.post, args=(PORTAL,)) for each in others]
    for each in waiting:
        each.start()
    assert stripe.desk.wait_for(2)
    answer = organization.client.post(PORTAL)
    assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
    assert "Retry-After" in answer.headers
    stripe.desk.open.set()
    for each in waiting:
        each.join()
