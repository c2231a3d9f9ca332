"""``ipcraft verify``: everything that is counted, recounted."""

from __future__ import annotations

import click

from ipcraft.plugin import Application, pass_application
from ipcraft_accounts import find_organization, list_organizations
from ipcraft_ipam.verification import verify


@click.command("verify")
@click.option("--org", "organization", metavar="ORG", help="Only this organization, by name or id.")
@pass_application
def verify_command(app: Application, *, organization: str | None) -> None:
    """Recount every counter, parent and free range, and print each difference.

    Ends with status 1 on any.
    """
    chosen = (
        list_organizations(app.storage)
        if organization is None
        else [find_organization(app.storage, organization)]
    )
    drifts = 0
    for each in chosen:
        with app.storage.read(each.id) as tx:
            for drift in verify(tx):
                drifts += 1
                click.echo(f"{each.name}: {drift.message}")
    organizations = "1 organization" if len(chosen) == 1 else f"{len(chosen)} organizations"
    click.echo(f"verified {organizations}, {drifts or 'no'} drift{'s' if drifts > 1 else ''}")
    if drifts:
        click.get_current_context().exit(1)
