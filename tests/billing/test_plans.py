"""An organization's plan follows what it pays for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ipcraft.plugin import Application
from ipcraft.testing import Clock, Organization
from ipcraft.testing.services import MailSink
from ipcraft_accounts import change_plan, create_user
from ipcraft_stripe.configuration import Configuration, configuration
from ipcraft_stripe.following import Follower
from ipcraft_stripe.gateway import Gateway
from ipcraft_stripe.subscriptions import Truth

from .billing import CHECKOUT, Billing

SUBNETS = "/api/v1/subnets"
DAY = 24
GRACE = 14 * DAY


def test_a_life_with_stripe(
    billing: Billing, organization: Organization, clock: Clock, application: Application
) -> None:
    """Upgrade, new limits, a failed payment, recovery, cancellation: the data stays readable."""
    client = organization.client
    ledger = billing.stripe.ledger
    refused = client.post(SUBNETS, json={"network": "10.0.0.0/24"})
    assert refused.status_code == 402  # keys only look on Free
    subscription = billing.buy(organization)
    networks = [{"network": f"10.{number // 256}.{number % 256}.0/24"} for number in range(120)]
    assert client.post(SUBNETS, json=networks).status_code == 201  # more than Free includes
    ledger.fail(subscription)
    billing.tell()
    assert billing.plan(organization) == "pro"
    clock.advance(hours=GRACE - 1)
    ledger.recover(subscription)
    billing.tell()
    clock.advance(hours=2)
    billing.work()
    assert billing.plan(organization) == "pro"
    ledger.cancel_later(subscription)
    billing.tell()
    assert billing.plan(organization) == "pro"
    ledger.renew(subscription)  # the period ends
    billing.tell()
    assert billing.plan(organization) == "free"
    assert len(client.get(SUBNETS).json) == 120
    browser = organization.browser(application)
    refused = browser.post(SUBNETS, json={"network": "10.9.0.0/24"})
    assert (refused.status_code, refused.json["code"]) == (402, "plan_limit")
    assert browser.delete(f"{SUBNETS}/{client.get(SUBNETS).json[0]['id']}").status_code == 204


def test_teams_is_sold_too(billing: Billing, organization: Organization) -> None:
    """The body names the plan."""
    billing.buy(organization, "teams")
    assert billing.plan(organization) == "teams"
    assert organization.client.get("/api/v1/billing/plan").json["limits"]["users"] == 5


def test_the_change_is_in_the_activity(billing: Billing, organization: Organization) -> None:
    """Nobody of the organization has made it."""
    billing.buy(organization)
    newest = organization.client.get("/api/v1/activity").json[0]
    assert newest["action"] == "organization.updated"
    assert newest["details"] == "Changed the plan from free to pro"
    assert newest["user_id"] is None


def test_a_plan_goes_on_through_the_grace_and_then_ends(
    billing: Billing, organization: Organization, clock: Clock
) -> None:
    """Fourteen days after the failure was told, and not a second before; nobody has to tell it."""
    subscription = billing.buy(organization)
    billing.stripe.ledger.fail(subscription)
    billing.tell()
    clock.advance(hours=5 * DAY)
    billing.stripe.ledger.give_up(subscription)  # another failure begins no other grace
    billing.tell()
    clock.advance(hours=GRACE - 5 * DAY, seconds=-1)
    billing.work()
    assert billing.plan(organization) == "pro"
    clock.advance(seconds=1)
    billing.work()
    assert billing.plan(organization) == "free"
    billing.stripe.ledger.recover(subscription)
    billing.tell()
    assert billing.plan(organization) == "pro"


@pytest.mark.parametrize("status", ["paused", "canceled", "incomplete", "incomplete_expired"])
def test_what_is_not_paid_gives_nothing(
    billing: Billing, organization: Organization, status: str
) -> None:
    """Only what is active, on trial or owed counts."""
    subscription = billing.buy(organization)
    billing.stripe.ledger.update_subscription(subscription, {"status": status})
    billing.tell()
    assert billing.plan(organization) == "free"


def test_a_trial_gives_the_plan(billing: Billing, organization: Organization) -> None:
    """As if it were paid."""
    url = organization.client.post(CHECKOUT).json["url"]
    billing.stripe.ledger.pay(url.rpartition("/")[2], wants="trialing")
    billing.tell()
    assert billing.plan(organization) == "pro"


def test_a_switch_in_the_portal_counts(billing: Billing, organization: Organization) -> None:
    """The plan is the price's."""
    subscription = billing.buy(organization)
    billing.stripe.ledger.switch(subscription, "price_teams")
    billing.tell()
    assert billing.plan(organization) == "teams"


def test_something_else_that_is_sold_is_no_plan(
    billing: Billing, organization: Organization
) -> None:
    """A price that the settings do not name is none of ours."""
    subscription = billing.buy(organization)
    billing.stripe.ledger.add_price("price_of_a_mug", 900)
    billing.stripe.ledger.switch(subscription, "price_of_a_mug")
    billing.tell()
    assert billing.plan(organization) == "free"


def test_a_deleted_customer_pays_nothing(billing: Billing, organization: Organization) -> None:
    """The plan ends, and who buys again is another customer."""
    billing.buy(organization)
    ledger = billing.stripe.ledger
    (first,) = ledger.customers
    ledger.delete_customer(first)
    billing.tell()
    assert billing.plan(organization) == "free"
    billing.buy(organization)
    assert billing.plan(organization) == "pro"
    assert len(ledger.customers) == 2


def test_what_an_operator_gives_stays_until_stripe_has_news(
    billing: Billing, application: Application, organization: Organization, clock: Clock
) -> None:
    """The nightly look does not undo a gift; the end of the subscription does."""
    subscription = billing.buy(organization)
    application.storage.transact(organization.id, lambda tx: change_plan(tx, "enterprise"))
    clock.advance(hours=25)
    application.jobs["stripe.reconcile"].run({})
    assert billing.plan(organization) == "enterprise"
    billing.stripe.ledger.cancel(subscription)
    billing.tell()
    assert billing.plan(organization) == "free"


def test_who_never_bought_is_left_alone(
    billing: Billing, application: Application, organization: Organization, clock: Clock
) -> None:
    """Also one that has begun a checkout and given up."""
    application.storage.transact(organization.id, lambda tx: change_plan(tx, "teams"))
    organization.client.post(CHECKOUT)
    clock.advance(hours=25)
    application.jobs["stripe.reconcile"].run({})
    assert billing.plan(organization) == "teams"


def test_a_night_mends_what_was_lost(
    billing: Billing, application: Application, organization: Organization, clock: Clock
) -> None:
    """When no event arrived at all, Stripe is asked."""
    billing.stripe.pay_at(organization.client.post(CHECKOUT).json["url"])
    billing.stripe.post.lose()
    application.jobs["stripe.reconcile"].run({})
    assert billing.plan(organization) == "free"  # it was looked at within the last night
    clock.advance(hours=24)
    application.jobs["stripe.reconcile"].run({})
    assert billing.plan(organization) == "pro"
    assert application.jobs["stripe.reconcile"].every == 86_400


class Overtaken(Gateway):
    """Be a gateway whose answer is on its way for so long that the world has gone on."""

    meanwhile: Any = None

    def truth(self, customer_id: str) -> Truth:
        """Ask, and let something happen before the answer is there."""
        seen = super().truth(customer_id)
        then, self.meanwhile = self.meanwhile, None
        if then is not None:
            then()
        return seen


def configured(app: Application) -> Configuration:
    """Give the application's configuration."""
    found = configuration(app)
    assert found is not None
    return found


def test_an_old_answer_does_not_count_after_a_newer_one(
    billing: Billing, application: Application, organization: Organization
) -> None:
    """A look that began before another one, and ends after it, has nothing to say."""
    subscription = billing.buy(organization)
    gateway = Overtaken(configured(application), application.outbound)
    follower = Follower(application, gateway, configured(application))

    def cancelled() -> None:
        billing.stripe.ledger.cancel(subscription)
        billing.tell()
        assert billing.plan(organization) == "free"

    gateway.meanwhile = cancelled
    assert follower.look(organization.id).kept != ()
    assert billing.plan(organization) == "free"


def mailed(billing: Billing, sink: MailSink, number: int) -> Mapping[str, str]:
    """Do what is due, and give the subject that each address was sent last."""
    billing.work()
    mails = sink.wait_for(number)
    assert len(mails) == number
    return {each.recipients[0]: str(each.message["Subject"]) for each in mails}


def test_owners_are_told(
    billing: Billing, application: Application, organization: Organization, sink: MailSink
) -> None:
    """Of a failed payment and of the end of a plan; nobody but owners is."""
    billing.buy(organization, "teams")
    (subscription,) = billing.stripe.ledger.subscriptions
    create_user(application.storage, organization.id, email="o@example.com", role="owner")
    create_user(application.storage, organization.id, email="a@example.com", role="admin")
    billing.stripe.ledger.fail(subscription)
    billing.tell()
    expected = {organization.email: "A payment has failed", "o@example.com": "A payment has failed"}
    assert mailed(billing, sink, 2) == expected
    assert "goes on until 2027-01-29T08:00:00Z" in " ".join(sink.mails[0].text.split())
    billing.stripe.ledger.cancel(subscription)
    billing.tell()
    expected = dict.fromkeys(expected, "Your plan has ended")
    assert mailed(billing, sink, 4) == expected


def test_nobody_is_told_of_a_failure_that_was_mended_meanwhile(
    billing: Billing, application: Application, organization: Organization, sink: MailSink
) -> None:
    """The mail is made when it is sent."""
    subscription = billing.buy(organization)
    billing.stripe.ledger.fail(subscription)
    billing.stripe.post.deliver(billing.hook)
    for ticket in billing.take():
        application.orders.perform(ticket)  # the notice is ordered by now, and not sent
    billing.stripe.ledger.recover(subscription)
    billing.stripe.post.deliver(billing.hook)
    notices = [each for each in billing.take() if each.job != "stripe.notice"]
    for ticket in notices:
        application.orders.perform(ticket)
    payload = {
        "organization_id": organization.id,
        "user_id": organization.user_id,
        "about": "failed",
    }
    application.jobs["stripe.notice"].run(payload)
    assert sink.mails == []


def test_a_dispute_is_told_and_changes_nothing(
    billing: Billing, organization: Organization, sink: MailSink
) -> None:
    """What the bank has taken back is between people; a cancellation is told by Stripe."""
    subscription = billing.buy(organization)
    dispute = billing.stripe.ledger.dispute(subscription)
    billing.tell()
    assert mailed(billing, sink, 1) == {organization.email: "A payment was disputed"}
    billing.stripe.ledger.settle_dispute(dispute, won=False)
    billing.tell()
    assert len(mailed(billing, sink, 2)) == 1
    assert billing.plan(organization) == "pro"


def test_what_a_deleted_organization_pays_is_cancelled(
    billing: Billing, application: Application, organization: Organization
) -> None:
    """It is noted with the deletion, and tried until Stripe has done it."""
    subscription = billing.buy(organization)
    name = organization.client.get("/api/v1/organization").json["name"]
    deleted = organization.client.delete("/api/v1/organization", json={"name": name})
    assert deleted.status_code == 204
    assert billing.stripe.ledger.subscriptions[subscription]["status"] == "active"
    application.jobs["stripe.end"].run({})
    assert billing.stripe.ledger.subscriptions[subscription]["status"] == "canceled"
    asked = len(billing.stripe.desk.asked)
    application.jobs["stripe.end"].run({})
    assert len(billing.stripe.desk.asked) == asked
    billing.tell()  # of nobody's customer
