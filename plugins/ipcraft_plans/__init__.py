"""Plans: what an organization may have and do, and how much of it there is."""

from __future__ import annotations

from collections.abc import Sequence

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
from ipcraft_plans import api_access, quotas
from ipcraft_plans.catalogue import catalogue, check_default, find_plan
from ipcraft_plans.resources import BillingPlan
from ipcraft_plans.schemas import PlansSettings

API = 1

__all__ = ["API", "catalogue"]


@hookimpl
def ipcraft_config_schema() -> type[Schema]:
    """Give the catalogue."""
    return PlansSettings


@hookimpl
def ipcraft_routes(app: Application) -> Sequence[Route]:
    """Serve what the plan is."""
    check_default(app)
    return [Route("/api/v1/billing/plan", BillingPlan(app))]


@hookimpl
def ipcraft_plan(
    organization_id: str, name: str | None, tx: Transaction | None, app: Application
) -> Plan:
    """Give the plan of the catalogue."""
    return find_plan(app, organization_id, name=name, tx=tx)


@hookimpl
def ipcraft_authorize(identity: Identity, action: str, app: Application) -> None:
    """Refuse writes with an API key where the plan has them read only."""
    api_access.check(app, identity, action)


@hookimpl
def ipcraft_before_change(change: Change, tx: Transaction, app: Application) -> None:
    """Refuse what exceeds the plan, and a plan that does not exist."""
    quotas.check(change, tx, app)
