"""Following: an organization gets the plan that Stripe says it pays for.

Nothing is taken from an event but whom to look at. Looks are numbered before they are taken, and
what a look has seen counts unless one with a higher number has counted before. So events may come
late, twice, in any order or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from ipcraft.plugin import Application, Transaction
from ipcraft_accounts import change_plan
from ipcraft_stripe import customers, events, notices
from ipcraft_stripe.configuration import Configuration
from ipcraft_stripe.customers import Customer
from ipcraft_stripe.events import Stored
from ipcraft_stripe.gateway import Gateway, StripeFailed
from ipcraft_stripe.subscriptions import Standing, Truth, standing

LOOK = "stripe.look"
"""The job that looks at one organization's customer, as at the end of a grace."""

_AT_ONCE = 100
_NIGHT = 20 * 3600
"""Seconds after which a customer is looked at again: less than a day, so that none is left out."""

_log = structlog.get_logger("ipcraft_stripe")


class Follower:
    """Bring organizations to what Stripe says."""

    def __init__(self, app: Application, gateway: Gateway, configuration: Configuration) -> None:
        self._app = app
        self._gateway = gateway
        self._configuration = configuration

    def follow(self, payload: Mapping[str, Any]) -> None:
        """Act upon an event, unless that was done. Raises `BadGateway` and others: try again."""
        event = events.find(self._app, payload["event_id"])
        if event is None or event.processed_at is not None:
            return
        organization_id = event.organization_id or self._owner(event)
        if organization_id is None:
            events.drop(self._app, event.id)
        else:
            self.look(organization_id, event=event)

    def look(self, organization_id: str, *, event: Stored | None = None) -> Truth:
        """See what the organization's customer has, and give it the plan. Give what was seen."""
        taken = customers.look(self._app.storage, organization_id)
        if taken is None:
            truth = Truth()
            customer_id, number = None, 0
        else:
            customer_id, number = taken
            truth = self._truth(customer_id)

        def work(tx: Transaction) -> None:
            if event is not None and not events.finish(tx, event.id):
                return
            if customer_id is not None:
                self._apply(tx, truth, customer_id=customer_id, number=number)
            if event is not None and event.type in events.DISPUTES:
                notices.tell_of_dispute(self._app, tx, event)

        self._app.storage.transact(organization_id, work)
        return truth

    def reconcile(self) -> None:
        """Look at every customer that nobody has looked at for a night.

        One that Stripe has trouble with waits for the next night; when Stripe cannot be reached
        at all, the rest is looked at when the job is tried again.
        """
        before = int(self._app.clock()) - _NIGHT
        while due := customers.unchecked(self._app.storage, before=before, limit=_AT_ONCE):
            for organization_id in due:
                try:
                    self.look(organization_id)
                except StripeFailed as error:
                    if not error.answered:
                        raise
                    _log.error(
                        "a customer cannot be looked at",
                        organization_id=organization_id,
                        reason=error.message,
                    )
                    customers.put_off(self._app.storage, organization_id)

    def _truth(self, customer_id: str) -> Truth:
        try:
            return self._gateway.truth(customer_id)
        except StripeFailed as error:
            if error.missing is None:
                raise
            return Truth(deleted=True)

    def _owner(self, event: Stored) -> str | None:
        """Find out whose a dispute is."""
        customer_id = self._gateway.customer_of_charge(event.about)
        if customer_id is None:
            return None
        with self._app.storage.read_system() as tx:
            owner = customers.owner_of(tx, customer_id)
        if owner is not None:
            events.adopt(self._app, event.id, owner)
        return owner

    def _apply(self, tx: Transaction, truth: Truth, *, customer_id: str, number: int) -> None:
        before = customers.take(tx)
        if before.customer_id != customer_id or before.seen > number:
            return
        now = standing(
            truth,
            rank=self._configuration.rank,
            now=tx.now,
            grace=self._configuration.grace,
            grace_until=before.grace_until,
        )
        customers.settle(tx, now, seen=number)
        if truth.deleted:
            customers.forget(tx, customer_id)
        if now.plan != before.plan:
            # A plan that an operator has given meanwhile stays until what is paid for changes.
            change_plan(tx, now.plan or self._configuration.unpaid_plan)
        self._tell(tx, before, now)

    def _tell(self, tx: Transaction, before: Customer, now: Standing) -> None:
        if now.grace_until is not None and before.grace_until is None:
            payload = {"organization_id": tx.organization_id}
            self._app.enqueue(LOOK, payload, delay=self._configuration.grace, tx=tx)
            notices.tell_of_failure(self._app, tx)
        if now.plan is None and before.plan is not None:
            notices.tell_of_end(self._app, tx, before.plan)
        if now.subscriptions > 1 and before.subscriptions <= 1:
            notices.tell_of_double(self._app, tx)
