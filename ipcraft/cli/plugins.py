"""``ipcraft plugins``: what is installed and what is loaded, told without importing any."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict

import click

from ipcraft.cli.context import Invocation
from ipcraft.config import ConfigError, Settings
from ipcraft.discovery import Listing, survey

_HEADER = ("NAME", "VERSION", "DISTRIBUTION", "STATE", "HOOKS")
_PREFIX = "ipcraft_"


@click.command("plugins")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@click.pass_obj
def command(invocation: Invocation, *, as_json: bool) -> None:
    """List the plugins, those that load first and in their order.

    No plugin is imported: this works when one is broken.
    """
    listings = survey(_settings(invocation))
    if as_json:
        click.echo(json.dumps([asdict(each) for each in listings], ensure_ascii=False))
        return
    rows = [_row(each) for each in listings]
    widths = [max(map(len, column)) for column in zip(_HEADER, *rows, strict=True)]
    click.echo(_line(_HEADER, widths))
    for listing, row in zip(listings, rows, strict=True):
        click.echo(_line(row, widths))
        if listing.problem:
            click.echo(f"  {listing.name}: {listing.problem}")


def _settings(invocation: Invocation) -> Settings:
    """Give the settings; in safe mode also without a file that can be read."""
    try:
        return invocation.settings
    except ConfigError as error:
        if not invocation.safe_mode:
            raise
        click.echo(f"Listed as without settings: {error}\n", err=True)
        return Settings()


def _row(listing: Listing) -> tuple[str, ...]:
    hooks = ", ".join(hook.removeprefix(_PREFIX) for hook in listing.hooks)
    return listing.name, listing.version, listing.distribution, listing.state, hooks


def _line(cells: Sequence[str], widths: Iterable[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip()
