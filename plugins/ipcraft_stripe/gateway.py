"""The gateway: what we ask of Stripe, and what we make of its answers.

::

    RequestError
    `-- BadGateway
        `-- StripeFailed    Stripe did not do what it was asked; may be answered as it is
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any, cast

import structlog

from ipcraft.plugin import BadGateway, Conflict, Outbound, Unavailable
from ipcraft_stripe.configuration import Configuration
from ipcraft_stripe.subscriptions import Subscription, Truth

if TYPE_CHECKING:
    from stripe import StripeClient

ROOM = 2
"""Requests to Stripe that a process has under way at once: when it stalls, others are served."""

_MOST_SUBSCRIPTIONS = 100
_UNREADABLE = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What the SDK and we stumble with over an answer of another shape."""

_log = structlog.get_logger("ipcraft_stripe")

Object = Mapping[str, Any]


class StripeFailed(BadGateway):
    """Say that Stripe did not do what it was asked.

    `answered` tells whether it said so itself: then it says the same to whoever asks again with
    the same key of idempotency. `missing` is the parameter that names what Stripe does not have.
    """

    def __init__(self, message: str, *, answered: bool = False, missing: str | None = None) -> None:
        super().__init__(message)
        self.answered = answered
        self.missing = missing


class Gateway:
    """Ask Stripe. Who finds it busy waits for `patience` seconds, then is told to come again.

    Whatever is asked raises `StripeFailed`; `Conflict` while the same is being asked by somebody
    else; `Unavailable` when there is no room.
    """

    def __init__(
        self, configuration: Configuration, outbound: Outbound, *, patience: float = 0.0
    ) -> None:
        self._configuration = configuration
        self._outbound = outbound.trusting(configuration.api_base)
        self._patience = patience
        self._room = BoundedSemaphore(ROOM)

    def create_customer(self, values: Object, *, key: str) -> str:
        """Make a customer and give its id."""
        made = self._ask(
            lambda client: client.v1.customers.create(cast(Any, values), {"idempotency_key": key})
        )
        return _text(made, "id")

    def truth(self, customer_id: str) -> Truth:
        """Give what a customer has now; one that was deleted has nothing."""
        found = self._ask(
            lambda client: client.v1.customers.retrieve(customer_id, {"expand": ["subscriptions"]})
        )
        with _reading():
            if found.get("deleted"):
                return Truth(deleted=True)
            page = found["subscriptions"]
        if page["has_more"]:
            page = self._ask(
                lambda client: client.v1.subscriptions.list(
                    {"customer": customer_id, "limit": _MOST_SUBSCRIPTIONS}
                )
            )
        with _reading():
            return Truth(tuple(self._subscription(each) for each in page["data"]))

    def create_session(self, values: Object, *, key: str) -> tuple[str, str]:
        """Make a checkout session; give its id and its URL."""
        made = self._ask(
            lambda client: client.v1.checkout.sessions.create(
                cast(Any, values), {"idempotency_key": key}
            )
        )
        return _text(made, "id"), _text(made, "url")

    def open_session(self, session_id: str) -> str | None:
        """Give the URL of a checkout session as long as it is open."""
        found = self._ask(lambda client: client.v1.checkout.sessions.retrieve(session_id))
        return _text(found, "url") if found.get("status") == "open" else None

    def expire_session(self, session_id: str, *, key: str) -> None:
        """Have nobody pay at an open checkout session any more."""
        self._ask(
            lambda client: client.v1.checkout.sessions.expire(
                session_id, None, {"idempotency_key": key}
            )
        )

    def create_portal(self, customer_id: str, *, return_url: str) -> str:
        """Make a session of the customer portal and give its URL."""
        made = self._ask(
            lambda client: client.v1.billing_portal.sessions.create(
                {"customer": customer_id, "return_url": return_url}
            )
        )
        return _text(made, "url")

    def customer_of_charge(self, charge_id: str) -> str | None:
        """Give whose charge it is, None for nobody's."""
        found = self._ask(lambda client: client.v1.charges.retrieve(charge_id))
        customer = found.get("customer")
        return customer if isinstance(customer, str) else None

    def cancel_subscriptions(self, customer_id: str) -> None:
        """Cancel everything that a customer pays for."""
        for each in self.truth(customer_id).subscriptions:
            self._cancel(each.id)

    def _cancel(self, subscription_id: str) -> None:
        self._ask(lambda client: client.v1.subscriptions.cancel(subscription_id))

    def _subscription(self, found: Object) -> Subscription:
        prices = [item["price"]["id"] for item in found["items"]["data"]]
        plans = self._configuration.plans
        known = [plans[each] for each in prices if each in plans]
        if not known:
            # Something else that is sold with the same account, or a price taken out too early.
            _log.info("a subscription has no price of ours", id=found["id"], prices=prices)
        plan = max(known, key=self._configuration.rank, default=None)
        return Subscription(str(found["id"]), str(found["status"]), plan)

    def _ask(self, question: Callable[[StripeClient], object]) -> Object:
        with self._asking():
            answer = question(self._client)
        to_dict = getattr(answer, "to_dict", None)
        found = to_dict() if to_dict is not None else None
        if not isinstance(found, dict):
            raise _unreadable()
        return found

    @contextmanager
    def _asking(self) -> Iterator[None]:
        import stripe

        if not self._room.acquire(timeout=self._patience):
            raise Unavailable(
                "Stripe is slow, and others are waiting for it; try again in a moment"
            )
        try:
            yield
        except stripe.StripeError as error:
            raise _failure(error) from error
        except _UNREADABLE as error:
            raise _unreadable() from error
        finally:
            self._room.release()

    @cached_property
    def _client(self) -> StripeClient:
        import stripe

        from ipcraft_stripe.transport import Transport

        return stripe.StripeClient(
            self._configuration.api_key,
            base_addresses={"api": self._configuration.api_base},
            http_client=Transport(self._outbound),
            # Who waits for an answer has waited long enough; jobs are tried again later.
            max_network_retries=0,
        )


def _failure(error: Any) -> StripeFailed | Conflict:
    """Tell what went wrong: to the log what Stripe says, which may be about the operator's key."""
    status, code = error.http_status, error.code
    _log.warning("Stripe does not do as it is asked", status=status, code=code, reason=str(error))
    if status == 409:
        return Conflict("The same is being done at this moment; try again", code="in_progress")
    if status is None:
        return StripeFailed("Stripe cannot be reached now; try again later")
    missing = getattr(error, "param", None) or "id" if code == "resource_missing" else None
    return StripeFailed(
        f"Stripe refuses this now (it answers {status}); try again later",
        # What it refused for having too much to do it will do the next time.
        answered=status != 429,
        missing=missing,
    )


def _unreadable() -> StripeFailed:
    return StripeFailed("What Stripe answers cannot be read; try again later", answered=True)


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except _UNREADABLE as error:
        raise _unreadable() from error


def _text(found: Object, name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not value:
        raise _unreadable()
    return value
