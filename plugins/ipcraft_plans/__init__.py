"""Plans: what an organization may have and do, and how much of it there is."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

from ipcraft.plugin import (
    Application,
    Change,
    Identity,
    Plan,
    Route,
    Schema,
    Transaction,
    hookimpl,
)
from ipcraft_plans import api_access, hookspecs, quotas
from ipcraft_plans.catalogue import catalogue, check_default, find_plan
from ipcraft_plans.providers import CHECKOUT, PORTAL, BillingProvider, billing_provider
from ipcraft_plans.resources import BillingPlan, Checkout, Portal
from ipcraft_plans.schemas import PlansSettings

API = 1

__all__ = ["API", "BillingProvider", "catalogue"]


@hookimpl
def ipcraft_hookspecs() -> ModuleType:
    """Offer `ipcraft_billing_providers`."""
    return hookspecs


@hookimpl
def ipcraft_config_schema() -> type[Schema]:
    """Give the catalogue."""
    return PlansSettings


@hookimpl
def ipcraft_routes(app: Application) -> Sequence[Route]:
    """Serve what the plan is and, where somebody takes money, the ways to another one."""
    check_default(app)
    routes = [Route("/api/v1/billing/plan", BillingPlan(app))]
    provider = billing_provider(app)
    if provider is not None:
        routes += [
            Route(CHECKOUT, Checkout(provider), actions={"POST": "own"}, irrevocable=("POST",)),
            Route(PORTAL, Portal(provider), actions={"POST": "own"}, irrevocable=("POST",)),
        ]
    return routes


@hookimpl
def ipcraft_plan(
    organization_id: str, name: str | None, tx: Transaction | None, app: Application
) -> Plan:
    """Give the plan of the catalogue."""
    return find_plan(app, organization_id, name=name, tx=tx)


@hookimpl
def ipcraft_authorize(identity: Identity, action: str, target: str, app: Application) -> None:
    """Refuse writes with an API key where the plan has them read only."""
    api_access.check(app, identity, action, target=target)


@hookimpl
def ipcraft_before_change(change: Change, tx: Transaction, app: Application) -> None:
    """Refuse what exceeds the plan, and a plan that does not exist."""
    quotas.check(change, tx, app)
