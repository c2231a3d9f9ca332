"""What the settings say, as the rest of the plugin uses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ipcraft.plugin import Application, StartError, did_you_mean
from ipcraft_plans import catalogue

_DAY = 86_400
_PLANS = ("pro", "teams")
"""What can be had, the smallest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Hold the account, its prices, and what happens to who does not pay."""

    api_key: str = field(repr=False)
    api_base: str
    webhook_secret: str = field(repr=False)
    sold: Mapping[str, str]
    """The price of each plan that can be had, the smallest plan first."""
    plans: Mapping[str, str]
    """The plan that each price stands for."""
    unpaid_plan: str
    grace: int
    """Seconds for which a plan goes on after a payment has failed."""
    return_url: str | None

    def rank(self, plan: str) -> int:
        """Give the place of a plan among those that are sold: more is more."""
        return _PLANS.index(plan)


def configuration(app: Application) -> Configuration | None:
    """Give the configuration; None without an API key.

    Raises `StartError` for a plan that the catalogue does not have.
    """
    section: Mapping[str, Any] = app.section("stripe")
    if section["api_key"] is None:
        return None
    prices: dict[str, Sequence[str]] = {plan: section[f"price_{plan}"] for plan in _PLANS}
    unpaid, known = section["unpaid_plan"], catalogue(app)
    if unpaid not in known:
        raise StartError(
            f"[plugins.stripe] unpaid_plan: there is no plan {unpaid}"
            f"{did_you_mean(unpaid, known)} (known: {', '.join(known)})"
        )
    return Configuration(
        api_key=section["api_key"],
        api_base=section["api_base"],
        webhook_secret=section["webhook_secret"],
        sold={plan: ids[0] for plan, ids in prices.items() if ids},
        plans={each: plan for plan, ids in prices.items() for each in ids},
        unpaid_plan=unpaid,
        grace=round(section["grace_days"] * _DAY),
        return_url=section["return_url"],
    )
