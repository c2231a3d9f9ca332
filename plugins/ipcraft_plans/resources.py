"""The plan over HTTP, and the ways to another one."""

from __future__ import annotations

import falcon

from ipcraft.plugin import Application, load
from ipcraft_plans.catalogue import rows_of
from ipcraft_plans.providers import BillingProvider, check_plan_is_sold
from ipcraft_plans.schemas import CheckoutBody, PortalBody
from ipcraft_plans.usage import usage

_WANTED = CheckoutBody()
_NOTHING = PortalBody()


class BillingPlan:
    """Answer ``/api/v1/billing/plan``."""

    def __init__(self, app: Application) -> None:
        self._app = app

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Give the plan, what is used of it, and its limits; null is no limit."""
        plan = self._app.plan(req.context.identity)
        with self._app.read(req.context.identity) as tx:
            used = usage(tx, self._app.registry.migrations)
        resp.media = {"plan": plan.name, "usage": used, "limits": rows_of(plan)}


class Checkout:
    """Answer ``/api/v1/billing/checkout``."""

    def __init__(self, provider: BillingProvider) -> None:
        self._provider = provider

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Give the URL at which an owner pays for the plan."""
        plan = load(req, _WANTED, optional=True)["plan"]
        check_plan_is_sold(self._provider, plan)
        resp.media = {"url": self._provider.checkout(req.context.identity, plan)}


class Portal:
    """Answer ``/api/v1/billing/portal``."""

    def __init__(self, provider: BillingProvider) -> None:
        self._provider = provider

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Give the URL at which an owner looks after payment, invoices and cancellation."""
        load(req, _NOTHING, optional=True)
        resp.media = {"url": self._provider.portal(req.context.identity)}
