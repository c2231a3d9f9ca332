"""Billing providers: who takes the money, and where an owner is sent to give it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, cast

from ipcraft.plugin import Application, Identity, Invalid, StartError, did_you_mean
from ipcraft_plans.catalogue import catalogue

CHECKOUT = "/api/v1/billing/checkout"
"""Where an owner asks for a plan."""

PORTAL = "/api/v1/billing/portal"
"""Where an owner asks for the place to look after what is paid."""


class BillingProvider(Protocol):
    """Lead owners to where they pay, and give organizations the plans they pay for.

    How a plan changes is the provider's own affair: it calls `ipcraft_accounts.change_plan` in a
    transaction of the organization when it knows that somebody has paid, or has not.
    """

    @property
    def name(self) -> str:
        """Give the provider's name, unique among all plugins."""
        ...

    @property
    def plans(self) -> Sequence[str]:
        """Give the plans of the catalogue that can be had, the smallest first."""
        ...

    def checkout(self, identity: Identity, plan: str) -> str:
        """Give the URL at which the identity's organization gets the plan, one of `plans`.

        Called in no transaction, for an owner. Raises `ipcraft.errors.Conflict` when there is
        nothing to be had, and `BadGateway` when a server that has to be asked fails.
        """
        ...

    def portal(self, identity: Identity) -> str:
        """Give the URL at which the organization looks after what it pays. Raises likewise."""
        ...


def billing_provider(app: Application) -> BillingProvider | None:
    """Give the provider that counts, if there is any.

    Raises `StartError` for the name of none, and for plans that the catalogue does not have.
    """
    given = app.registry.named("ipcraft_billing_providers", kind=BillingProvider, app=app)
    name = cast("str | None", app.section("plans")["billing_provider"])
    provider = _chosen(given, name)
    if provider is not None:
        _check_plans(app, provider)
    return provider


def check_plan_is_sold(provider: BillingProvider, plan: str) -> None:
    """Raise `Invalid` for a plan that the provider does not have."""
    if plan not in provider.plans:
        known = ", ".join(provider.plans)
        message = f"plan must be one of {known}, not {plan[:64]!r}"
        raise Invalid.field("plan", f"{message}{did_you_mean(plan, provider.plans)}")


def _chosen(given: Mapping[str, BillingProvider], name: str | None) -> BillingProvider | None:
    if name is None:
        return list(given.values())[-1] if given else None
    if name not in given:
        known = ", ".join(given) or "none"
        raise StartError(
            f"billing_provider: there is no billing provider {name}"
            f"{did_you_mean(name, given)} (known: {known})"
        )
    return given[name]


def _check_plans(app: Application, provider: BillingProvider) -> None:
    plans = catalogue(app)
    for plan in provider.plans:
        if plan not in plans:
            raise StartError(
                f"the billing provider {provider.name} has the plan {plan}, which the catalogue "
                f"has not{did_you_mean(plan, plans)} (known: {', '.join(plans)})"
            )
