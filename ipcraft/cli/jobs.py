"""``ipcraft jobs``: what is done beside the requests, and what could not be done."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from ipcraft.cli.context import pass_application

if TYPE_CHECKING:
    from ipcraft.app import Application
    from ipcraft.jobs.orders import Account

_LIMIT = 1000
_UNITS = ((86_400, "d"), (3600, "h"), (60, "m"), (1, "s"))


@click.group("jobs", invoke_without_command=True)
@click.option("--all", "finished", is_flag=True, help="List those that are done, too.")
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=_LIMIT,
    show_default=True,
    help="How many to list, the oldest first.",
)
@click.pass_context
def command(context: click.Context, *, finished: bool, limit: int) -> None:
    """Show the jobs that wait, run or have failed: id, job, state, age, attempts, reason.

    Jobs that are done are forgotten after a day, those that failed after thirty.
    """
    if context.invoked_subcommand is None:
        _show(finished=finished, limit=limit)


@command.command("retry")
@click.argument("job_id", metavar="ID")
@pass_application
def retry(app: Application, *, job_id: str) -> None:
    """Have a job that failed tried again."""
    app.orders.retry(job_id)


@pass_application
def _show(app: Application, *, finished: bool, limit: int) -> None:
    for account in app.orders.accounts(finished=finished, limit=limit):
        click.echo(_line(account))


def _line(account: Account) -> str:
    age = _age(int(time.time()) - account.created_at)
    reason = " ".join((account.reason or "").split())
    parts = (account.id, account.job, account.state, age, str(account.attempts), reason)
    return "  ".join(parts).rstrip()


def _age(seconds: int) -> str:
    """Give a time as a person says it: ``3m``, ``2h``."""
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds >= size), _UNITS[-1])
    return f"{max(seconds, 0) // size}{unit}"
