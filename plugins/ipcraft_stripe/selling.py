"""Selling: an owner is led to Stripe's checkout, and to its portal.

A customer is made once, and of the checkouts that are begun at most one can be paid at. Each
request carries a key of idempotency: the organization, the number of the attempt, and a digest of
what is asked for. So who comes twice, or at the same moment, gets the same; what Stripe has
answered with a failure, which it would repeat for a day, is asked for under another number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import orjson

from ipcraft.plugin import Application, Conflict, Identity, public_url
from ipcraft_stripe import customers, owners
from ipcraft_stripe.configuration import Configuration
from ipcraft_stripe.customers import Customer
from ipcraft_stripe.following import Follower
from ipcraft_stripe.gateway import Gateway, StripeFailed

T = TypeVar("T")

_MOST_TRIES = 3


class Selling:
    """Be the billing provider `stripe`."""

    name = "stripe"

    def __init__(
        self,
        app: Application,
        gateway: Gateway,
        follower: Follower,
        configuration: Configuration,
    ) -> None:
        self._app = app
        self._gateway = gateway
        self._follower = follower
        self._configuration = configuration

    @property
    def plans(self) -> Sequence[str]:
        """Give the plans that have a price."""
        return tuple(self._configuration.sold)

    def checkout(self, identity: Identity, plan: str) -> str:
        """Give the URL of a checkout for the plan.

        Raises `Conflict` where there is a subscription already, which the portal changes.
        """
        organization_id = identity.organization_id
        self._return_url()  # who has none is told so before anything is begun
        for _ in range(_MOST_TRIES):
            customer = self._prepared(organization_id)
            if (url := self._begun(organization_id, customer, plan)) is not None:
                return url
            if (url := self._begin(organization_id, customer, plan)) is not None:
                return url
        raise Conflict("Another checkout is being begun; try again", code="in_progress")

    def portal(self, identity: Identity) -> str:
        """Give the URL of the portal."""
        organization_id = identity.organization_id
        return_url = self._return_url()
        for _ in range(_MOST_TRIES):
            customer_id = self._customer(organization_id).customer_id
            assert customer_id is not None
            try:
                return self._gateway.create_portal(customer_id, return_url=return_url)
            except StripeFailed as error:
                if error.missing != "customer":
                    raise
                self._forget(organization_id, customer_id)
        raise StripeFailed("Stripe does not know the customer that it has just made")

    def _prepared(self, organization_id: str) -> Customer:
        """Give the customer, sure that it is one and has no subscription."""
        known = self._found(organization_id)
        if known is None or known.customer_id is None:
            return self._customer(organization_id)
        # What is known may be old: an event may be lost, or still on its way.
        truth = self._follower.look(organization_id)
        if truth.kept:
            raise Conflict(
                "There is a subscription already; it is changed at POST /api/v1/billing/portal",
                code="already_subscribed",
            )
        return self._customer(organization_id)

    def _customer(self, organization_id: str) -> Customer:
        """Give the customer; one that there is not yet is made."""
        known = self._taken(organization_id)
        if known.customer_id is not None:
            return known
        values = self._described(organization_id)
        made = self._attempt(
            organization_id,
            known.attempt,
            lambda: self._gateway.create_customer(
                values, key=_key("customer", organization_id, known.attempt, values)
            ),
        )
        self._app.storage.transact(organization_id, lambda tx: customers.name(tx, made))
        return self._taken(organization_id)

    def _described(self, organization_id: str) -> Mapping[str, Any]:
        with self._app.storage.read(organization_id) as tx:
            name, email = owners.whom_to_bill(tx)
        return {
            "email": email,
            "name": name,
            "metadata": {"organization_id": organization_id},
        }

    def _begun(self, organization_id: str, customer: Customer, plan: str) -> str | None:
        """Give the checkout that was begun before, if it is for this plan and still open.

        One for another plan is ended: at two that are open somebody could pay twice.
        """
        if customer.session_id is None:
            return None
        url = self._known_session(customer.session_id)
        if url is not None and customer.session_plan == plan:
            return url
        if url is not None and not self._ended(organization_id, customer.session_id):
            return None  # somebody has just paid there, which the next look shows
        self._try_again(organization_id, customer.attempt)
        return None

    def _ended(self, organization_id: str, session_id: str) -> bool:
        key = _key("expire", organization_id, 0, {"id": session_id})
        try:
            self._gateway.expire_session(session_id, key=key)
        except StripeFailed as error:
            if not error.answered:
                raise
            return False
        return True

    def _known_session(self, session_id: str) -> str | None:
        try:
            return self._gateway.open_session(session_id)
        except StripeFailed as error:
            if error.missing is None:
                raise
            return None

    def _begin(self, organization_id: str, customer: Customer, plan: str) -> str | None:
        """Begin a checkout; None where something else has happened in between."""
        attempt = self._taken(organization_id).attempt
        assert customer.customer_id is not None
        values = self._order(organization_id, customer.customer_id, plan)
        try:
            session_id, url = self._attempt(
                organization_id,
                attempt,
                lambda: self._gateway.create_session(
                    values, key=_key("checkout", organization_id, attempt, values)
                ),
            )
        except StripeFailed as error:
            if error.missing != "customer":
                raise
            self._forget(organization_id, customer.customer_id)
            return None
        counts = self._app.storage.transact(
            organization_id,
            lambda tx: customers.begin_session(tx, session_id, plan=plan, attempt=attempt),
        )
        if not counts:
            self._ended(organization_id, session_id)
            return None
        return url

    def _order(self, organization_id: str, customer_id: str, plan: str) -> Mapping[str, Any]:
        whose = {"organization_id": organization_id}
        back = self._return_url()
        return {
            "mode": "subscription",
            "customer": customer_id,
            "client_reference_id": organization_id,
            "line_items": [{"price": self._configuration.sold[plan], "quantity": 1}],
            "success_url": back,
            "cancel_url": back,
            "metadata": whose,
            "subscription_data": {"metadata": whose},
        }

    def _return_url(self) -> str:
        return self._configuration.return_url or f"{public_url(self._app)}/"

    def _attempt(self, organization_id: str, attempt: int, work: Callable[[], T]) -> T:
        try:
            return work()
        except StripeFailed as error:
            if error.answered:
                self._try_again(organization_id, attempt)
            raise

    def _found(self, organization_id: str) -> Customer | None:
        with self._app.storage.look(organization_id) as reader:
            return customers.find(reader)

    def _taken(self, organization_id: str) -> Customer:
        return self._app.storage.transact(organization_id, customers.take)

    def _forget(self, organization_id: str, customer_id: str) -> None:
        self._app.storage.transact(organization_id, lambda tx: customers.forget(tx, customer_id))

    def _try_again(self, organization_id: str, attempt: int) -> None:
        self._app.storage.transact(
            organization_id, lambda tx: customers.try_again(tx, attempt=attempt)
        )


def _key(what: str, organization_id: str, attempt: int, values: Mapping[str, Any]) -> str:
    """Make a key of idempotency: never the same one for something else."""
    text = orjson.dumps(values, option=orjson.OPT_SORT_KEYS)
    return f"{what}-{organization_id}-{attempt}-{hashlib.sha256(text).hexdigest()[:32]}"
