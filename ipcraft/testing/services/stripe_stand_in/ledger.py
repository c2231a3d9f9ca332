"""The ledger: what Stripe remembers, and what people do to it.

Objects are as Stripe shows them. Every change makes the events that it makes there.
Source: https://docs.stripe.com/api, https://docs.stripe.com/billing/subscriptions/overview
"""

from __future__ import annotations

import copy
import secrets
import string
import time
from collections.abc import Callable, Iterator
from typing import Any

from ipcraft.testing.services.stripe_stand_in.refusals import Refusal, absent

Thing = dict[str, Any]
"""An object of the API, as JSON has it."""

API_VERSION = "2026-10-28.endive"

_ALPHABET = string.ascii_letters + string.digits
_DAY = 86_400
_MONTH = 30 * _DAY
_ENDED = frozenset({"canceled", "incomplete_expired"})
_SHOWN_WITH_A_CUSTOMER = 10


class Ledger:
    """Keep customers, prices, sessions, subscriptions and what came of them."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.prices: dict[str, Thing] = {}
        self.customers: dict[str, Thing] = {}
        self.sessions: dict[str, Thing] = {}
        self.subscriptions: dict[str, Thing] = {}
        self.invoices: dict[str, Thing] = {}
        self.charges: dict[str, Thing] = {}
        self.disputes: dict[str, Thing] = {}
        self.events: list[Thing] = []
        self._orders: dict[str, Thing] = {}
        """What a checkout session is about, which it does not show."""

    @property
    def now(self) -> int:
        """Give the time in seconds since the epoch."""
        return int(self._clock())

    # What the API does.

    def add_price(self, identifier: str, amount: int) -> None:
        """Make a monthly price of so many cents."""
        self.prices[identifier] = {
            "id": identifier,
            "object": "price",
            "active": True,
            "currency": "usd",
            "unit_amount": amount,
            "recurring": {"interval": "month", "interval_count": 1},
            "type": "recurring",
        }

    def create_customer(self, values: Thing) -> Thing:
        """Make a customer."""
        customer = {
            "id": _new_id("cus_"),
            "object": "customer",
            "created": self.now,
            "name": values.get("name"),
            "email": values.get("email"),
            "description": values.get("description"),
            "livemode": False,
            "metadata": values.get("metadata", {}),
        }
        self.customers[customer["id"]] = customer
        self._tell("customer.created", customer)
        return customer

    def update_customer(self, identifier: str, values: Thing) -> Thing:
        """Change a customer."""
        customer = self._living_customer(identifier)
        customer.update(values)
        self._tell("customer.updated", customer)
        return customer

    def customer(self, identifier: str, *, expanded: bool = False) -> Thing:
        """Give a customer; of one that was deleted only that it was."""
        customer = _found(self.customers, identifier, "customer")
        if customer.get("deleted") or not expanded:
            return customer
        live = [each for each in self._of(identifier) if each["status"] not in _ENDED]
        page = _page(live, _SHOWN_WITH_A_CUSTOMER, url=f"/v1/customers/{identifier}/subscriptions")
        return customer | {"subscriptions": page}

    def delete_customer(self, identifier: str) -> Thing:
        """Delete a customer; the subscriptions end at once."""
        customer = self._living_customer(identifier)
        for each in self._of(identifier):
            if each["status"] not in _ENDED:
                self.cancel(each["id"])
        gone = {"id": identifier, "object": "customer", "deleted": True}
        self.customers[identifier] = gone
        self._tell("customer.deleted", customer)
        return gone

    def create_session(self, values: Thing) -> Thing:
        """Make a checkout session for a subscription."""
        if values["mode"] != "subscription":
            raise Refusal("The stand-in sells subscriptions only", param="mode")
        if "customer" in values:
            self._living_customer(values["customer"], param="customer")
        for number, line in enumerate(values["line_items"]):
            if line["price"] not in self.prices:
                raise absent("price", line["price"], param=f"line_items[{number}][price]")
        identifier = _new_id("cs_test_", 58)
        session = {
            "id": identifier,
            "object": "checkout.session",
            "created": self.now,
            "expires_at": self.now + _DAY,
            "mode": "subscription",
            "status": "open",
            "payment_status": "unpaid",
            "customer": values.get("customer"),
            "client_reference_id": values.get("client_reference_id"),
            "subscription": None,
            "success_url": values["success_url"],
            "cancel_url": values.get("cancel_url"),
            "metadata": values.get("metadata", {}),
            "url": f"https://checkout.stripe.com/c/pay/{identifier}",
            "livemode": False,
        }
        self.sessions[identifier] = session
        self._orders[identifier] = {
            "line_items": values["line_items"],
            "metadata": values.get("subscription_data", {}).get("metadata", {}),
        }
        return session

    def session(self, identifier: str) -> Thing:
        """Give a checkout session; one whose time has passed is expired."""
        session = _found(self.sessions, identifier, "checkout.session")
        if session["status"] == "open" and session["expires_at"] <= self.now:
            self._expire(session)
        return session

    def expire_session(self, identifier: str) -> Thing:
        """Expire a session, which must be open."""
        session = self.session(identifier)
        if session["status"] != "open":
            raise Refusal(
                f'Only Checkout Sessions with a status in ["open"] can be expired. '
                f"This Checkout Session has a status of {session['status']}."
            )
        self._expire(session)
        return session

    def create_portal(self, values: Thing) -> Thing:
        """Make a session of the customer portal."""
        self._living_customer(values["customer"], param="customer")
        identifier = _new_id("bps_", 24)
        return {
            "id": identifier,
            "object": "billing_portal.session",
            "created": self.now,
            "customer": values["customer"],
            "return_url": values.get("return_url"),
            "url": f"https://billing.stripe.com/p/session/{identifier}",
            "livemode": False,
        }

    def list_subscriptions(self, values: Thing) -> Thing:
        """List subscriptions, the newest first; those that ended only if asked for."""
        found = list(reversed(self.subscriptions.values()))
        if "customer" in values:
            self._living_customer(values["customer"], param="customer")
            found = [each for each in found if each["customer"] == values["customer"]]
        status = values.get("status")
        if status is None:
            found = [each for each in found if each["status"] not in _ENDED]
        elif status == "ended":
            found = [each for each in found if each["status"] in _ENDED]
        elif status != "all":
            found = [each for each in found if each["status"] == status]
        rest = _after(found, values.get("starting_after"), "subscription")
        return _page(rest, values.get("limit", 10), url="/v1/subscriptions")

    def subscription(self, identifier: str) -> Thing:
        """Give a subscription."""
        return _found(self.subscriptions, identifier, "subscription")

    def update_subscription(self, identifier: str, values: Thing) -> Thing:
        """Change a subscription."""
        subscription = self._living_subscription(identifier)
        subscription.update(values)
        self._tell("customer.subscription.updated", subscription)
        return subscription

    def charge(self, identifier: str) -> Thing:
        """Give a charge."""
        return _found(self.charges, identifier, "charge")

    def list_events(self, values: Thing) -> Thing:
        """List events, the newest first."""
        found = list(reversed(self.events))
        if "type" in values:
            found = [each for each in found if each["type"] == values["type"]]
        rest = _after(found, values.get("starting_after"), "event")
        return _page(rest, values.get("limit", 10), url="/v1/events")

    # What people and banks do.

    def pay(self, session_id: str, *, wants: str = "active") -> str:
        """Pay at a checkout page; give the id of the subscription that begins."""
        session = self.session(session_id)
        if session["status"] != "open":
            raise Refusal(f"The checkout session is {session['status']}")
        order = self._orders[session_id]
        subscription: Thing = {
            "id": _new_id("sub_", 24),
            "object": "subscription",
            "created": self.now,
            "customer": session["customer"],
            "status": wants,
            "cancel_at_period_end": False,
            "canceled_at": None,
            "ended_at": None,
            "pause_collection": None,
            "items": _page(
                [self._item(each) for each in order["line_items"]], 10, url="/v1/subscription_items"
            ),
            "latest_invoice": None,
            "metadata": order["metadata"],
            "livemode": False,
        }
        self.subscriptions[subscription["id"]] = subscription
        self._tell("customer.subscription.created", subscription)
        self._bill(subscription, paid=True)
        session.update(status="complete", payment_status="paid", subscription=subscription["id"])
        self._tell("checkout.session.completed", session)
        return str(subscription["id"])

    def renew(self, subscription_id: str) -> None:
        """Let the period end: pay for the next one, or end what is not to go on."""
        subscription = self._living_subscription(subscription_id)
        if subscription["cancel_at_period_end"]:
            self.cancel(subscription_id)
        else:
            self._bill(subscription, paid=True)

    def fail(self, subscription_id: str) -> None:
        """Let the payment of the next period fail."""
        subscription = self._living_subscription(subscription_id)
        self._bill(subscription, paid=False)
        self._become(subscription, "past_due")

    def recover(self, subscription_id: str) -> None:
        """Pay what is owed."""
        subscription = self._living_subscription(subscription_id)
        invoice = self.invoices[subscription["latest_invoice"]]
        if invoice["status"] == "open":
            invoice["status"] = "paid"
            self._tell("invoice.paid", invoice)
        self._become(subscription, "active")

    def give_up(self, subscription_id: str) -> None:
        """Stop trying to be paid, and leave the subscription unpaid."""
        self._become(self._living_subscription(subscription_id), "unpaid")

    def pause(self, subscription_id: str) -> None:
        """Pause, as after a trial without a card."""
        subscription = self._living_subscription(subscription_id)
        subscription["status"] = "paused"
        self._tell("customer.subscription.paused", subscription)

    def unpause(self, subscription_id: str) -> None:
        """Go on after a pause."""
        subscription = self._living_subscription(subscription_id)
        subscription["status"] = "active"
        self._tell("customer.subscription.resumed", subscription)

    def cancel_later(self, subscription_id: str) -> None:
        """Cancel with the end of the period, as the portal does."""
        self.update_subscription(subscription_id, {"cancel_at_period_end": True})

    def resume(self, subscription_id: str) -> None:
        """Take a cancellation back before the period has ended."""
        self.update_subscription(subscription_id, {"cancel_at_period_end": False})

    def cancel(self, subscription_id: str) -> Thing:
        """Cancel now."""
        subscription = self._living_subscription(subscription_id)
        subscription.update(status="canceled", canceled_at=self.now, ended_at=self.now)
        self._tell("customer.subscription.deleted", subscription)
        return subscription

    def switch(self, subscription_id: str, price: str) -> None:
        """Change what is subscribed to, as the portal does."""
        subscription = self._living_subscription(subscription_id)
        item = subscription["items"]["data"][0]
        item["price"] = self.prices[price]
        self._tell("customer.subscription.updated", subscription)

    def dispute(self, subscription_id: str) -> str:
        """Have the bank take the last payment back; give the dispute's id."""
        subscription = self.subscription(subscription_id)
        charge = self.charges[self.invoices[subscription["latest_invoice"]]["charge"]]
        dispute = {
            "id": _new_id("du_", 24),
            "object": "dispute",
            "created": self.now,
            "amount": charge["amount"],
            "currency": "usd",
            "charge": charge["id"],
            "payment_intent": None,
            "reason": "fraudulent",
            "status": "needs_response",
            "livemode": False,
        }
        self.disputes[dispute["id"]] = dispute
        self._tell("charge.dispute.created", dispute)
        return str(dispute["id"])

    def settle_dispute(self, dispute_id: str, *, won: bool) -> None:
        """Close a dispute."""
        dispute = _found(self.disputes, dispute_id, "dispute")
        dispute["status"] = "won" if won else "lost"
        self._tell("charge.dispute.closed", dispute)

    # How it is kept.

    def _bill(self, subscription: Thing, *, paid: bool) -> None:
        amount = sum(each["price"]["unit_amount"] for each in subscription["items"]["data"])
        charge = {
            "id": _new_id("ch_", 24),
            "object": "charge",
            "amount": amount,
            "customer": subscription["customer"],
            "paid": paid,
        }
        invoice = {
            "id": _new_id("in_", 24),
            "object": "invoice",
            "created": self.now,
            "customer": subscription["customer"],
            "status": "paid" if paid else "open",
            "amount_due": amount,
            "charge": charge["id"],
            "attempt_count": 1,
            "parent": {
                "type": "subscription_details",
                "subscription_details": {"subscription": subscription["id"]},
            },
            "livemode": False,
        }
        self.charges[charge["id"]] = charge
        self.invoices[invoice["id"]] = invoice
        subscription["latest_invoice"] = invoice["id"]
        self._tell("invoice.paid" if paid else "invoice.payment_failed", invoice)

    def _become(self, subscription: Thing, status: str) -> None:
        subscription["status"] = status
        self._tell("customer.subscription.updated", subscription)

    def _expire(self, session: Thing) -> None:
        session.update(status="expired", url=None)
        self._tell("checkout.session.expired", session)

    def _item(self, line: Thing) -> Thing:
        return {
            "id": _new_id("si_", 14),
            "object": "subscription_item",
            "price": self.prices[line["price"]],
            "quantity": line["quantity"],
            "current_period_start": self.now,
            "current_period_end": self.now + _MONTH,
        }

    def _of(self, customer_id: str) -> Iterator[Thing]:
        return (each for each in self.subscriptions.values() if each["customer"] == customer_id)

    def _living_customer(self, identifier: str, *, param: str = "id") -> Thing:
        customer = self.customers.get(identifier)
        if customer is None or customer.get("deleted"):
            raise absent("customer", identifier, param=param)
        return customer

    def _living_subscription(self, identifier: str) -> Thing:
        subscription = self.subscription(identifier)
        if subscription["status"] in _ENDED:
            raise absent("subscription", identifier)
        return subscription

    def _tell(self, kind: str, thing: Thing) -> None:
        self.events.append(
            {
                "id": _new_id("evt_", 24),
                "object": "event",
                "api_version": API_VERSION,
                "created": self.now,
                "data": {"object": copy.deepcopy(thing)},
                "livemode": False,
                "pending_webhooks": 1,
                "request": {"id": None, "idempotency_key": None},
                "type": kind,
            }
        )


def _new_id(prefix: str, length: int = 14) -> str:
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _found(things: dict[str, Thing], identifier: str, what: str) -> Thing:
    if identifier not in things:
        raise absent(what, identifier)
    return things[identifier]


def _after(things: list[Thing], identifier: str | None, what: str) -> list[Thing]:
    if identifier is None:
        return things
    for number, each in enumerate(things):
        if each["id"] == identifier:
            return things[number + 1 :]
    raise absent(what, identifier, param="starting_after")


def _page(things: list[Thing], limit: int, *, url: str) -> Thing:
    return {
        "object": "list",
        "data": things[:limit],
        "has_more": len(things) > limit,
        "url": url,
    }
