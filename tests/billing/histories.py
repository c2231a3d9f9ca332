"""Random histories: what people, banks, networks and processes do, in whatever order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from ipcraft.testing import Clock, Organization
from ipcraft.testing.services.stripe_stand_in import Mischief
from ipcraft.testing.services.stripe_stand_in.ledger import Thing

from .billing import CHECKOUT, Billing

PAID = ("active", "trialing")
OWED = ("past_due", "unpaid")
PLANS = {"price_pro": "pro", "price_teams": "teams"}
ORDER = ("free", "pro", "teams")
GRACE_HOURS = 14 * 24
NIGHT_HOURS = 24
_STEPS = 25


@dataclass(slots=True)
class History:
    """Be one organization's history with Stripe, made up from a seed."""

    billing: Billing
    organization: Organization
    clock: Clock
    chance: Random
    urls: list[str] = field(default_factory=list)
    """Every checkout page that was ever opened."""
    told: list[Thing] = field(default_factory=list)
    lost: list[Thing] = field(default_factory=list)
    """What Stripe has given up to tell."""

    def run(self) -> None:
        """Let a number of things happen."""
        post = self.billing.stripe.post
        post.mischief = Mischief(
            drop=self.chance.choice([0.0, 0.3]),
            double=self.chance.choice([0.0, 0.5]),
            delay=self.chance.choice([0.0, 0.5]),
            reorder=self.chance.random() < 0.7,
            random=self.chance,
        )
        for _ in range(self.chance.randint(3, _STEPS)):
            self._step()

    def settle(self) -> None:
        """Let all that is under way come to its end, and a night pass if something was lost."""
        self.billing.stripe.post.mischief = Mischief(reorder=True, random=self.chance)
        self.billing.stripe.post.deliver(self.billing.hook)
        self.clock.advance(seconds=60)  # for longer than any lease
        self.billing.work(chance=self.chance)
        if self.lost:
            self.night()

    def night(self) -> None:
        """Let a night pass, in which everything is looked at again."""
        self.clock.advance(hours=NIGHT_HOURS)
        self.billing.app.jobs["stripe.reconcile"].run({})
        self.billing.work(chance=self.chance)

    @property
    def subscriptions(self) -> list[Thing]:
        """Give the subscriptions of the organization's customers."""
        ledger = self.billing.stripe.ledger
        return [
            each
            for each in ledger.subscriptions.values()
            if each["metadata"] == {"organization_id": self.organization.id}
        ]

    def best(self, *statuses: str) -> str:
        """Give the largest plan of the subscriptions in one of these statuses."""
        plans = [
            PLANS[each["items"]["data"][0]["price"]["id"]]
            for each in self.subscriptions
            if each["status"] in statuses
        ]
        return max(plans, key=ORDER.index, default="free")

    def _step(self) -> None:
        names = list(STEPS)
        (name,) = self.chance.choices(names, [STEPS[each][0] for each in names])
        STEPS[name][1](self)

    def _live(self, *statuses: str) -> Thing | None:
        found = [each for each in self.subscriptions if each["status"] in statuses]
        return self.chance.choice(found) if found else None

    def check_out(self) -> None:
        """Begin a checkout, or two in two tabs."""
        for _ in range(self.chance.choice([1, 1, 2])):
            plan = self.chance.choice(["pro", "teams"])
            self.clock.advance(seconds=1)  # the plan allows a few requests in each
            answer = self.organization.client.post(CHECKOUT, json={"plan": plan})
            assert answer.status_code in (200, 409), answer.text
            if answer.status_code == 200:
                self.urls.append(answer.json["url"])

    def pay(self) -> None:
        """Pay at any page that still takes money."""
        ledger = self.billing.stripe.ledger
        pages = [each.rpartition("/")[2] for each in self.urls]
        taking = [
            each
            for each in pages
            if ledger.session(each)["status"] == "open"
            and "deleted" not in ledger.customers[ledger.session(each)["customer"]]
        ]
        if taking:
            ledger.pay(self.chance.choice(taking))

    def change(self) -> None:
        """Do one of the things that can be done with a subscription that is alive."""
        found = self._live(*PAID, *OWED, "paused")
        if found is None:
            return
        ledger, identifier = self.billing.stripe.ledger, found["id"]
        status = found["status"]
        ways: dict[str, tuple[str, ...]] = {
            "fail": PAID + OWED,
            "recover": OWED,
            "give_up": OWED,
            "pause": PAID,
            "unpause": ("paused",),
            "cancel_later": PAID + OWED,
            "resume": PAID + OWED,
            "renew": PAID,
            "cancel": (*PAID, *OWED, "paused"),
        }
        name = self.chance.choice([each for each, when in ways.items() if status in when])
        getattr(ledger, name)(identifier)

    def switch(self) -> None:
        """Change the plan in the portal."""
        found = self._live(*PAID, *OWED)
        if found is not None:
            self.billing.stripe.ledger.switch(found["id"], self.chance.choice(list(PLANS)))

    def dispute(self) -> None:
        """Have the bank take a payment back, and perhaps settle that."""
        found = self._live(*PAID, *OWED)
        if found is not None:
            identifier = self.billing.stripe.ledger.dispute(found["id"])
            if self.chance.random() < 0.5:
                won = self.chance.random() < 0.5
                self.billing.stripe.ledger.settle_dispute(identifier, won=won)

    def delete(self) -> None:
        """Delete the customer."""
        ledger = self.billing.stripe.ledger
        owners = {each["customer"] for each in self.subscriptions}
        for each in sorted(owners):
            if "deleted" not in ledger.customers[each]:
                ledger.delete_customer(each)

    def tell(self) -> None:
        """Have some of what has happened arrive."""
        self.billing.stripe.post.round(self.billing.hook)

    def lose(self) -> None:
        """Have Stripe give up to tell what nobody has taken."""
        self.lost += self.billing.stripe.post.lose()

    def work(self) -> None:
        """Do the jobs that are due in any order; some processes die before they do theirs."""
        tickets = self.billing.take()
        self.chance.shuffle(tickets)
        for ticket in tickets:
            if self.chance.random() < 0.8:
                self.billing.app.orders.perform(ticket)

    def wait(self) -> None:
        """Let time pass: minutes, or days."""
        self.clock.advance(hours=self.chance.choice([0.1, 1, 30, 100]))


STEPS: Mapping[str, tuple[int, Callable[[History], None]]] = {
    "check_out": (4, History.check_out),
    "pay": (5, History.pay),
    "change": (8, History.change),
    "switch": (2, History.switch),
    "dispute": (1, History.dispute),
    "delete": (1, History.delete),
    "tell": (6, History.tell),
    "lose": (1, History.lose),
    "work": (4, History.work),
    "wait": (2, History.wait),
}
"""What can happen, and how often it does."""
