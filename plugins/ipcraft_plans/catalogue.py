"""The catalogue: the plans there are, and which one an organization has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypedDict, cast

from msgspec import Meta

from ipcraft.plugin import Application, Invalid, Plan, RateLimit, StartError, Transaction
from ipcraft_accounts import plan_name, plan_name_of

Row = Mapping[str, Any]
"""What a plan includes, by the names of `ROWS`; None is no limit."""

COUNTED = ("users", "sections", "subnets", "addresses")
"""The rows that say how many of a thing there may be."""

ROWS = (*COUNTED, "api_access", "rate_limit", "activity_days")
"""The rows of the table of plans."""

SHIPPED: Mapping[str, Row] = {
    name: dict(zip(ROWS, values, strict=True))
    for name, values in {
        "free": (1, 5, 100, 1_500, "read-only", 10, 7),
        "pro": (1, 25, 500, 7_000, "read-write", 30, 14),
        "teams": (5, 50, 500, 7_000, "read-write", 50, 90),
        "enterprise": (None, None, None, None, "read-write", None, None),
    }.items()
}
"""The plans as the API reference lists them."""

_RATE_LIMIT = "plan"


def plan(name: str, row: Row) -> Plan:
    """Make a plan of its rows."""
    rate = row["rate_limit"]
    return Plan(
        name=name,
        limits={key: row[key] for key in COUNTED if row[key] is not None},
        rate_limit=None if rate is None else RateLimit(name=_RATE_LIMIT, requests=rate, seconds=1),
        activity_days=row["activity_days"],
        api_access=row["api_access"],
    )


class RowsObject(TypedDict):
    """What a plan includes; null is no limit."""

    users: Annotated[int, Meta(examples=[1])] | None
    sections: Annotated[int, Meta(examples=[5])] | None
    subnets: Annotated[int, Meta(examples=[100])] | None
    addresses: Annotated[int, Meta(examples=[1500])] | None
    api_access: Literal["read-only", "read-write"]
    rate_limit: Annotated[int, Meta(description="Requests a second.", examples=[10])] | None
    activity_days: Annotated[int, Meta(examples=[7])] | None


def rows_of(plan: Plan) -> RowsObject:
    """Give the rows of a plan; None is no limit."""
    rate = plan.rate_limit
    return {
        "users": plan.limits.get("users"),
        "sections": plan.limits.get("sections"),
        "subnets": plan.limits.get("subnets"),
        "addresses": plan.limits.get("addresses"),
        "api_access": plan.api_access,
        "rate_limit": rate.requests if rate else None,
        "activity_days": plan.activity_days,
    }


def catalogue(app: Application) -> Mapping[str, Plan]:
    """Give the plans by name."""
    return cast("Mapping[str, Plan]", app.section("plans")["catalogue"])


def find_plan(
    app: Application, organization_id: str, *, name: str | None, tx: Transaction | None
) -> Plan:
    """Give the organization's plan; its `name` costs a query where it is not given.

    Raises LookupError when the catalogue has no plan of the name.
    """
    if name is None:
        name = plan_name(tx) if tx else plan_name_of(app.storage, organization_id)
    plan = catalogue(app).get(name)
    if plan is None:
        raise LookupError(f"{organization_id} has the plan {name!r}, which the catalogue has not")
    return plan


def check_plan(app: Application, name: str) -> None:
    """Raise `Invalid` when there is no plan of the name."""
    plans = catalogue(app)
    if name not in plans:
        raise Invalid.field("plan", f"plan must be one of {', '.join(plans)}, not {name!r}")


def check_default(app: Application) -> None:
    """Raise `StartError` when new organizations would get a plan that does not exist."""
    name, plans = app.settings.default_plan, catalogue(app)
    if name not in plans:
        raise StartError(f"default_plan: there is no plan {name} (known: {', '.join(plans)})")
