"""``ipcraft load``: subnets from a file."""

from __future__ import annotations

from pathlib import Path

import click

from ipcraft.plugin import Application, pass_application, progress_bar
from ipcraft_ipam.commands.names import named_organization, organization_option
from ipcraft_ipam.loading import load
from ipcraft_ipam.network_files import read_networks

_SHOWN = 20


@click.command("load")
@click.argument("file", type=click.Path(path_type=Path))
@organization_option
@click.option(
    "--section", metavar="NAME", help="The folder to put them in; made when there is none."
)
@click.option(
    "--vrf",
    metavar="VRF",
    help="The VRF to put them in, by name, route distinguisher or id; made when there is none.",
)
@click.option("--column", metavar="NAME", help="The column that has the networks.")
@pass_application
def load_command(
    app: Application,
    *,
    file: Path,
    organization: str | None,
    section: str | None,
    vrf: str | None,
    column: str | None,
) -> None:
    """Create the subnets a file lists.

    FILE is Amazon's ip-ranges.json as it is published, other JSON, or CSV with a column of
    networks; columns "name" and "description" are taken along. Subnets that exist are left as
    they are, so loading a file again changes nothing.
    """
    listed = read_networks(file, column=column)
    chosen = named_organization(app, organization)
    with progress_bar(file.name, total=len(listed)) as advance:
        loaded = load(app.storage, chosen.id, listed, section=section, vrf=vrf, advance=advance)
    click.echo(
        f"{len(listed)} networks: {loaded.created} created, {loaded.present} already there, "
        f"{len(loaded.refused)} refused"
    )
    for network, reason in loaded.refused[:_SHOWN]:
        click.echo(f"refused {network}: {reason}", err=True)
    if len(loaded.refused) > _SHOWN:
        click.echo(f"and {len(loaded.refused) - _SHOWN} more", err=True)
    if loaded.refused:
        click.get_current_context().exit(1)
