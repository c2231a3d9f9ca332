"""The plan over HTTP, and the ways to another one."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

import falcon
from msgspec import Meta

from ipcraft.plugin import Application, Body, operation
from ipcraft_plans.catalogue import RowsObject, rows_of
from ipcraft_plans.providers import BillingProvider, check_plan_is_sold
from ipcraft_plans.schemas import CheckoutBody, PortalBody
from ipcraft_plans.usage import usage

_UNANSWERED = {502: "The billing provider does not do as it should."}
_NOT_TO_BE_HAD = {
    **_UNANSWERED,
    409: "There is a subscription already, or the same is being asked for at this moment.",
}


class BillingPlanObject(TypedDict):
    """The plan, with what is used of it."""

    plan: Annotated[str, Meta(examples=["free"])]
    usage: Annotated[
        dict[str, Annotated[int, Meta(ge=0)]],
        Meta(
            description="How many there are of each kind.",
            examples=[{"users": 1, "sections": 1, "subnets": 3, "addresses": 42}],
        ),
    ]
    limits: RowsObject


class PlaceObject(TypedDict):
    """Says where to go on."""

    url: Annotated[str, Meta(examples=["https://checkout.stripe.com/c/pay/cs_live_a1b2c3"])]


class BillingPlan:
    """Answer ``/api/v1/billing/plan``."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(answers={200: BillingPlanObject})
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Give the plan, what is used of it, and its limits; null is no limit."""
        plan = self._app.plan(req.context.identity)
        with self._app.read(req.context.identity) as tx:
            used = usage(tx, self._app.registry.migrations)
        shown: BillingPlanObject = {"plan": plan.name, "usage": used, "limits": rows_of(plan)}
        resp.media = shown


class Checkout:
    """Answer ``/api/v1/billing/checkout``."""

    def __init__(self, provider: BillingProvider) -> None:
        self._provider = provider

    @operation(
        body=Body(CheckoutBody(), optional=True),
        answers={200: PlaceObject},
        errors=_NOT_TO_BE_HAD,
    )
    def on_post(self, req: falcon.Request, resp: falcon.Response, *, body: dict[str, Any]) -> None:
        """Give the URL at which an owner pays for the plan."""
        check_plan_is_sold(self._provider, body["plan"])
        place: PlaceObject = {"url": self._provider.checkout(req.context.identity, body["plan"])}
        resp.media = place


class Portal:
    """Answer ``/api/v1/billing/portal``."""

    def __init__(self, provider: BillingProvider) -> None:
        self._provider = provider

    @operation(
        body=Body(PortalBody(), optional=True), answers={200: PlaceObject}, errors=_UNANSWERED
    )
    def on_post(self, req: falcon.Request, resp: falcon.Response, *, body: dict[str, Any]) -> None:
        """Give the URL at which an owner looks after payment, invoices and cancellation."""
        place: PlaceObject = {"url": self._provider.portal(req.context.identity)}
        resp.media = place
