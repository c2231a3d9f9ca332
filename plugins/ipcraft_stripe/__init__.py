"""Stripe: plans paid by card, bought at its checkout and looked after in its portal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ipcraft.plugin import (
    Application,
    Change,
    Job,
    Migrations,
    Route,
    Schema,
    Transaction,
    hookimpl,
)
from ipcraft_plans import BillingProvider
from ipcraft_stripe.endings import note_ending
from ipcraft_stripe.schemas import StripeSettings
from ipcraft_stripe.services import jobs, prepare, providers, routes
from ipcraft_stripe.tables import metadata

API = 1


@hookimpl
def ipcraft_config_schema() -> type[Schema]:
    """Give the settings of the account and its prices."""
    return StripeSettings


@hookimpl
def ipcraft_migrations() -> Migrations:
    """Give the tables of customers and of what Stripe told."""
    return Migrations(metadata, Path(__file__).parent / "migrations")


@hookimpl(optionalhook=True)  # nothing is sold where `plans` is switched off
def ipcraft_billing_providers(app: Application) -> Sequence[BillingProvider]:
    """Sell plans, if there is an API key."""
    return providers(app)


@hookimpl
def ipcraft_routes(app: Application) -> Sequence[Route]:
    """Take what Stripe tells, if there is an API key."""
    return routes(app)


@hookimpl
def ipcraft_jobs(app: Application) -> Sequence[Job]:
    """Give the jobs that follow Stripe's events, look whether all is right, and mail owners."""
    return jobs(app)


@hookimpl
def ipcraft_startup(app: Application) -> None:
    """Load the SDK before the first request, if there is an API key."""
    prepare(app)


@hookimpl
def ipcraft_after_change(change: Change, tx: Transaction) -> None:
    """Have what an organization pays for end with it."""
    if change.type == "organization.deleted":
        note_ending(tx)
