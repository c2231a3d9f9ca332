"""The command ``ipcraft invoice``."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TextIO

import click

from ipcraft.plugin import Application, Invalid, pass_application
from ipcraft_invoice import periods
from ipcraft_invoice.lines import Month, lines, write


@click.group("invoice")
def invoice_commands() -> None:
    """Write what is needed for invoices."""


@invoice_commands.command("lines")
@click.argument("month", metavar="YYYY-MM")
@click.option(
    "--output",
    type=click.File("w", encoding="utf-8", lazy=True, atomic=True),
    default="-",
    help="The file to write; standard output where none is named.",
)
@pass_application
def lines_command(app: Application, *, month: str, output: TextIO) -> None:
    """Write a line for each organization and plan of a month, as CSV."""
    now = int(app.clock())
    when = _month(month)
    if when.start > now:
        raise Invalid(f"{month} has not begun yet")
    section: Mapping[str, Any] = app.section("invoice")
    found = lines(
        periods.between(app.storage, when.start, when.stop),
        when,
        prices={plan: Decimal(price) for plan, price in section["prices"].items()},
        currency=section["currency"],
        now=now,
    )
    write(output, found)


def _month(text: str) -> Month:
    try:
        return Month.of(text)
    except ValueError as error:
        raise Invalid(f"{text[:20]!r} is no month such as 2026-03") from error
