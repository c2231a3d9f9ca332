"""Being led to Stripe: by whom, with what, and as often as one likes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ipcraft.plugin import Application, StartError
from ipcraft.testing import Client, Clock, Organization, make_application, make_organization
from ipcraft.testing.services import MailSink, StripeStandIn

from .billing import CHECKOUT, PLAN, PORTAL, WEBHOOK, Billing


def sessions(stripe: StripeStandIn, status: str = "open") -> list[dict[str, Any]]:
    """Give the checkouts of a status."""
    return [each for each in stripe.ledger.sessions.values() if each["status"] == status]


def test_what_stripe_is_asked_for(
    application: Application, organization: Organization, stripe: StripeStandIn
) -> None:
    """A customer with the organization's name, and a checkout that says whose it is."""
    url = organization.client.post(CHECKOUT, json={"plan": "teams"}).json["url"]
    (customer,) = stripe.ledger.customers.values()
    name = organization.client.get("/api/v1/organization").json["name"]
    assert (customer["name"], customer["email"]) == (name, organization.email)
    assert customer["metadata"] == {"organization_id": organization.id}
    (session,) = sessions(stripe)
    assert session["url"] == url
    assert session["customer"] == customer["id"]
    assert session["client_reference_id"] == organization.id
    assert session["success_url"] == "https://ipam.example.com/"
    stripe.pay_at(url)
    (subscription,) = stripe.ledger.subscriptions.values()
    assert subscription["metadata"] == {"organization_id": organization.id}
    assert subscription["items"]["data"][0]["price"]["id"] == "price_teams"


@pytest.mark.parametrize("path", [CHECKOUT, PORTAL])
@pytest.mark.parametrize("role", ["viewer", "editor", "admin"])
def test_only_owners_are_led_there(
    application: Application, organization: Organization, path: str, role: str
) -> None:
    """Everybody else is refused, and Stripe is not asked."""
    answer = organization.client_as(application, role).post(path)
    assert answer.status_code == 403
    assert Client(application).post(path).status_code == 401


@pytest.mark.parametrize("path", [CHECKOUT, PORTAL])
def test_what_is_asked_of_stripe_cannot_be_tried(
    organization: Organization, stripe: StripeStandIn, path: str
) -> None:
    """No transaction takes it back: a dry run and a key are refused before Stripe is asked."""
    tried = organization.client.post(path, params={"dry_run": "true"})
    assert (tried.status_code, tried.json["code"]) == (400, "dry_run_unsupported")
    keyed = organization.client.post(path, headers={"Idempotency-Key": "k"})
    assert (keyed.status_code, keyed.json["code"]) == (400, "idempotency_unsupported")
    assert not stripe.ledger.customers


@pytest.mark.parametrize("path", [CHECKOUT, PORTAL])
def test_a_browser_needs_the_header(
    application: Application, organization: Organization, path: str
) -> None:
    """Another site cannot send an owner there."""
    browser = organization.browser(application)
    assert browser.post(path, headers={"X-Requested-With": None}).status_code == 403
    assert browser.post(path).status_code == 200


def test_a_key_may_ask_on_free(organization: Organization) -> None:
    """A 402 to the request that leads to where one pays would go round in a circle."""
    assert organization.client.post(CHECKOUT).status_code == 200
    assert organization.client.post(PORTAL).status_code == 200
    assert organization.client.post("/api/v1/sections", json={"name": "A"}).status_code == 402


@pytest.mark.parametrize(
    ("body", "field"),
    [({"plan": "gold"}, "plan"), ({"plan": None}, "plan"), ({"price": "price_pro"}, "price")],
)
def test_what_is_not_sold_is_refused(
    organization: Organization, stripe: StripeStandIn, body: object, field: str
) -> None:
    """The answer names the plans there are."""
    answer = organization.client.post(CHECKOUT, json=body)
    assert answer.status_code == 400
    assert field in answer.json["fields"]
    assert stripe.desk.asked == []


def test_the_portal_is_the_customers(billing: Billing, organization: Organization) -> None:
    """Also before anything was bought; it is the same customer afterwards."""
    url = organization.client.post(PORTAL).json["url"]
    assert url.startswith("https://billing.stripe.com/p/session/")
    billing.buy(organization)
    organization.client.post(PORTAL)
    assert len(billing.stripe.ledger.customers) == 1


def test_who_asks_twice_gets_the_same_checkout(
    organization: Organization, stripe: StripeStandIn
) -> None:
    """There is never a second page to pay at."""
    urls = {organization.client.post(CHECKOUT).json["url"] for _ in range(3)}
    assert len(urls) == 1
    assert len(stripe.ledger.sessions) == 1


def test_another_plan_ends_the_checkout_before(
    organization: Organization, stripe: StripeStandIn
) -> None:
    """Of two pages one could pay at both."""
    pro = organization.client.post(CHECKOUT).json["url"]
    teams = organization.client.post(CHECKOUT, json={"plan": "teams"}).json["url"]
    assert [each["url"] for each in sessions(stripe)] == [teams]
    again = organization.client.post(CHECKOUT).json["url"]
    assert again not in (pro, teams)
    assert len(sessions(stripe)) == 1


def test_an_expired_checkout_is_begun_anew(
    organization: Organization, stripe: StripeStandIn, clock: Clock
) -> None:
    """After a day Stripe has forgotten it, and the key of idempotency, too."""
    before = organization.client.post(CHECKOUT).json["url"]
    clock.advance(hours=25)
    assert organization.client.post(CHECKOUT).json["url"] != before


def test_who_has_a_subscription_is_sent_to_the_portal(
    billing: Billing, organization: Organization
) -> None:
    """409; also when Stripe has not told yet, and when it is owed."""
    billing.stripe.pay_at(organization.client.post(CHECKOUT).json["url"])
    answer = organization.client.post(CHECKOUT, json={"plan": "teams"})
    assert (answer.status_code, answer.json["code"]) == (409, "already_subscribed")
    assert billing.plan(organization) == "pro"  # it was looked at
    (subscription,) = billing.stripe.ledger.subscriptions
    billing.stripe.ledger.fail(subscription)
    assert organization.client.post(CHECKOUT).status_code == 409
    billing.stripe.ledger.cancel(subscription)
    assert organization.client.post(CHECKOUT).status_code == 200


def test_two_at_once_begin_one_checkout(
    organization: Organization, stripe: StripeStandIn, application: Application
) -> None:
    """A click in each of two tabs makes one customer and one page, or the second is told so."""
    clients = [Client(application, organization.key) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda client: client.post(CHECKOUT), clients))
    assert {each.status_code for each in answers} <= {200, 409}
    assert 200 in {each.status_code for each in answers}
    assert {each.json["code"] for each in answers if each.status_code == 409} <= {"in_progress"}
    assert len({each.json["url"] for each in answers if each.status_code == 200}) == 1
    assert len(stripe.ledger.customers) == 1
    assert len(sessions(stripe)) == 1


def test_of_two_subscriptions_the_larger_plan_counts(
    billing: Billing, organization: Organization, sink: MailSink
) -> None:
    """Should somebody manage to pay twice, they get the most of it, and are told."""
    billing.buy(organization)
    (customer,) = billing.stripe.ledger.customers
    order = {
        "mode": "subscription",
        "customer": customer,
        "line_items": [{"price": "price_teams", "quantity": 1}],
        "success_url": "https://example.com/",
    }
    second = billing.stripe.ledger.pay(billing.stripe.ledger.create_session(order)["id"])
    billing.tell()
    assert billing.plan(organization) == "teams"
    billing.work()
    assert [each.message["Subject"] for each in sink.wait_for(1)] == ["You pay twice"]
    billing.stripe.ledger.cancel(second)
    billing.tell()
    assert billing.plan(organization) == "pro"


def test_a_customer_that_stripe_has_lost_is_made_again(
    billing: Billing, organization: Organization
) -> None:
    """Also when nobody has told that it was deleted."""
    organization.client.post(CHECKOUT)
    (first,) = billing.stripe.ledger.customers
    billing.stripe.ledger.delete_customer(first)
    billing.stripe.post.lose()
    assert organization.client.post(PORTAL).status_code == 200
    assert organization.client.post(CHECKOUT).status_code == 200
    assert len(billing.stripe.ledger.customers) == 2


@pytest.mark.parametrize("path", [CHECKOUT, PORTAL])
def test_asking_cannot_be_tried(
    organization: Organization, stripe: StripeStandIn, path: str
) -> None:
    """Nobody takes back what Stripe was asked for: a dry run and a key of a request are refused."""
    assert organization.client.post(path, params={"dry_run": "true"}).status_code == 400
    key = {"Idempotency-Key": "mine"}
    assert organization.client.post(path, headers=key).status_code == 400
    assert stripe.desk.asked == []


def test_without_a_key_the_routes_do_not_exist(database_url: str) -> None:
    """What nobody takes money for is not sold; the plan is shown all the same."""
    app = make_application(database_url)
    organization = make_organization(app)
    for path in (CHECKOUT, PORTAL, WEBHOOK):
        assert organization.client.post(path).status_code == 404
    assert organization.client.get(PLAN).json["plan"] == "enterprise"
    app.close()


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ({"webhook_secret": None}, "webhook_secret"),
        ({"price_pro": [], "price_teams": []}, "price_pro"),
        ({"price_teams": ["price_pro"]}, "price_teams"),
        ({"api_base": "stripe.com"}, "api_base"),
        ({"unpaid_plan": "fre"}, "unpaid_plan"),
    ],
)
def test_settings_that_cannot_work_stop_the_start(
    database_url: str, stripe: StripeStandIn, section: dict[str, object], problem: str
) -> None:
    """The message names the key."""
    given = {name: value for name, value in (stripe.settings | section).items() if value}
    with pytest.raises(StartError, match=problem):
        make_application(database_url, sections={"stripe": given})


def test_an_older_price_still_gives_its_plan(
    database_url: str, stripe: StripeStandIn, clock: Clock
) -> None:
    """The first price is sold; who bought at another keeps the plan."""
    stripe.ledger.add_price("price_new", 3_900)
    section = stripe.settings | {"price_pro": ["price_new", "price_pro"]}
    app = make_application(
        database_url,
        sections={"stripe": section},
        settings={"public_url": "https://ipam.example.com"},
        clock=clock,
    )
    organization, billing = make_organization(app, plan="free"), Billing(app, stripe)
    subscription = billing.buy(organization)
    item = stripe.ledger.subscriptions[subscription]["items"]["data"][0]
    assert item["price"]["id"] == "price_new"
    stripe.ledger.switch(subscription, "price_pro")
    billing.tell()
    assert billing.plan(organization) == "pro"
    app.close()
