"""Billing step by step: what Stripe tells arrives, and is acted upon, when the test says so."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from ipcraft.plugin import Application, Ticket
from ipcraft.testing import Client, Organization
from ipcraft.testing.services.stripe_stand_in import Signed, StripeStandIn

CHECKOUT = "/api/v1/billing/checkout"
PORTAL = "/api/v1/billing/portal"
WEBHOOK = "/api/v1/billing/webhook"
PLAN = "/api/v1/billing/plan"

_MOST = 1_000


class Billing:
    """Be an application that sells, with its jobs held still, and the stand-in it sells with."""

    def __init__(self, app: Application, stripe: StripeStandIn) -> None:
        self.app = app
        self.stripe = stripe
        self._client = Client(app)
        app.drains.end()  # nothing is done but by `work`

    def hook(self, signed: Signed) -> int:
        """Post an event, and give the answer's status."""
        return self.send(signed.body, signed.headers)

    def send(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Post anything to the endpoint."""
        answer = self._client.post(WEBHOOK, body=body, headers=dict(headers))
        return answer.status_code

    def tell(self) -> None:
        """Have everything arrive that has happened, and act upon it."""
        assert set(self.stripe.post.deliver(self.hook)) <= {200}
        self.work()

    def take(self) -> list[Ticket]:
        """Take the jobs that are due."""
        return self.app.orders.take(_MOST)

    def work(self, *, chance: Random | None = None) -> None:
        """Do the jobs that are due, until there are none; in any order, if there is a chance."""
        while tickets := self.take():
            if chance is not None:
                chance.shuffle(tickets)
            for ticket in tickets:
                self.app.orders.perform(ticket)

    def buy(self, organization: Organization, plan: str = "pro") -> str:
        """Buy a plan for an organization; give the subscription's id."""
        answer = organization.client.post(CHECKOUT, json={"plan": plan})
        assert answer.status_code == 200, answer.text
        subscription = self.stripe.pay_at(answer.json["url"])
        self.tell()
        return subscription

    def plan(self, organization: Organization) -> str:
        """Give the plan that the next request has."""
        plan: str = organization.client.get(PLAN).json["plan"]
        return plan
