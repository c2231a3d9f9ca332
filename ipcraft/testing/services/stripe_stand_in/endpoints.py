"""The endpoints: what of Stripe's API there is, and what each does to the ledger."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ipcraft.testing.services.stripe_stand_in import parameters
from ipcraft.testing.services.stripe_stand_in.ledger import Ledger, Thing
from ipcraft.testing.services.stripe_stand_in.parameters import Parameter
from ipcraft.testing.services.stripe_stand_in.refusals import Refusal

Work = Callable[[Ledger, str, Thing], Thing]
"""Do what is asked of a ledger: with the path's identifier, and the values of the form."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Say what can be asked for, with which parameters."""

    method: str
    path: re.Pattern[str]
    takes: Mapping[str, Parameter]
    work: Work


def _endpoint(method: str, path: str, takes: Mapping[str, Parameter], work: Work) -> Endpoint:
    pattern = re.compile(path.replace("{id}", "(?P<id>[A-Za-z0-9_]+)"))
    return Endpoint(method, pattern, takes, work)


_ENDPOINTS = (
    _endpoint(
        "POST",
        "/v1/customers",
        parameters.CUSTOMER,
        lambda books, _, form: books.create_customer(form),
    ),
    _endpoint(
        "GET",
        "/v1/customers/{id}",
        parameters.CUSTOMER_RETRIEVAL,
        lambda books, name, form: books.customer(
            name, expanded="subscriptions" in form.get("expand", [])
        ),
    ),
    _endpoint(
        "POST",
        "/v1/customers/{id}",
        parameters.CUSTOMER,
        lambda books, name, form: books.update_customer(name, form),
    ),
    _endpoint(
        "DELETE",
        "/v1/customers/{id}",
        parameters.NOTHING,
        lambda books, name, _: books.delete_customer(name),
    ),
    _endpoint(
        "POST",
        "/v1/checkout/sessions",
        parameters.SESSION,
        lambda books, _, form: books.create_session(form),
    ),
    _endpoint(
        "GET",
        "/v1/checkout/sessions/{id}",
        parameters.NOTHING,
        lambda books, name, _: books.session(name),
    ),
    _endpoint(
        "POST",
        "/v1/checkout/sessions/{id}/expire",
        parameters.NOTHING,
        lambda books, name, _: books.expire_session(name),
    ),
    _endpoint(
        "POST",
        "/v1/billing_portal/sessions",
        parameters.PORTAL,
        lambda books, _, form: books.create_portal(form),
    ),
    _endpoint(
        "GET",
        "/v1/subscriptions",
        parameters.SUBSCRIPTIONS,
        lambda books, _, form: books.list_subscriptions(form),
    ),
    _endpoint(
        "GET",
        "/v1/subscriptions/{id}",
        parameters.NOTHING,
        lambda books, name, _: books.subscription(name),
    ),
    _endpoint(
        "POST",
        "/v1/subscriptions/{id}",
        parameters.SUBSCRIPTION,
        lambda books, name, form: books.update_subscription(name, form),
    ),
    _endpoint(
        "DELETE",
        "/v1/subscriptions/{id}",
        parameters.CANCELLATION,
        lambda books, name, _: books.cancel(name),
    ),
    _endpoint(
        "GET", "/v1/charges/{id}", parameters.NOTHING, lambda books, name, _: books.charge(name)
    ),
    _endpoint(
        "GET", "/v1/events", parameters.EVENTS, lambda books, _, form: books.list_events(form)
    ),
)


def find(method: str, path: str) -> tuple[Endpoint, str]:
    """Give the endpoint of a request, and the identifier in its path."""
    for endpoint in _ENDPOINTS:
        match = endpoint.path.fullmatch(path)
        if match and endpoint.method == method:
            return endpoint, match.groupdict().get("id") or ""
    raise Refusal(
        f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs",
        status=404,
    )
