"""Plans on invoice: an operator gives them, and a file says what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ipcraft.plugin import (
    Application,
    Change,
    Command,
    Job,
    Migrations,
    Schema,
    Transaction,
    hookimpl,
)
from ipcraft_invoice import periods
from ipcraft_invoice.commands import invoice_commands
from ipcraft_invoice.contact import Contact
from ipcraft_invoice.schemas import InvoiceSettings
from ipcraft_invoice.tables import metadata
from ipcraft_plans import BillingProvider

API = 1

_BEGIN_EVERY = 3600


@hookimpl
def ipcraft_config_schema() -> type[Schema]:
    """Let prices be set, and where people ask for a plan."""
    return InvoiceSettings


@hookimpl
def ipcraft_migrations() -> Migrations:
    """Give the tables of who had which plan when."""
    return Migrations(metadata, Path(__file__).parent / "migrations")


@hookimpl
def ipcraft_billing_providers(app: Application) -> Sequence[BillingProvider]:
    """Send owners to the operator."""
    return [Contact(app)]


@hookimpl
def ipcraft_commands() -> Sequence[Command]:
    """Add ``ipcraft invoice``."""
    return [Command(invoice_commands)]


@hookimpl
def ipcraft_jobs(app: Application) -> Sequence[Job]:
    """Let the plans count that organizations had before this plugin was there."""
    return [
        Job(
            name="invoice.begin",
            run=lambda payload: periods.begin_all(app.storage),
            every=_BEGIN_EVERY,
        )
    ]


@hookimpl
def ipcraft_after_change(change: Change, tx: Transaction) -> None:
    """Write down which plan begins and which ends."""
    periods.follow(change, tx)
