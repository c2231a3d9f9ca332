"""``ipcraft db``: the database's tables, brought up to date and looked at."""

from __future__ import annotations

import click

from ipcraft.cli.context import Invocation
from ipcraft.contributions import StorageStatus

_NOTHING = "nothing"


@click.group("db")
def command() -> None:
    """Bring the database up to date."""


@command.command("upgrade")
@click.pass_obj
def upgrade(invocation: Invocation) -> None:
    """Bring the tables of every plugin to their newest form, all of them or none."""
    for before in invocation.open().storage.upgrade():
        if before.current == before.head:
            _echo(before, f"{before.head}, up to date")
        else:
            _echo(before, f"{before.current or _NOTHING} -> {before.head}")


@command.command("status")
@click.pass_obj
def status(invocation: Invocation) -> None:
    """Say which form the tables of every plugin have; end with status 1 when one is behind."""
    behind = False
    for now in invocation.open().storage.status():
        is_newest = now.current == now.head
        behind = behind or not is_newest
        place = "up to date" if is_newest else f"the newest is {now.head}"
        _echo(now, f"{now.current or _NOTHING}, {place}")
    click.get_current_context().exit(int(behind))


def _echo(entry: StorageStatus, text: str) -> None:
    click.echo(f"{entry.plugin:<12} {text}")
