"""The plan over HTTP."""

from __future__ import annotations

import falcon

from ipcraft.plugin import Application
from ipcraft_plans.catalogue import rows_of
from ipcraft_plans.usage import usage


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
