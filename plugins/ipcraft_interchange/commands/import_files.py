"""``ipcraft import``: what files list, into an organization."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from ipcraft.plugin import Client, Invalid, Invocation, server_options
from ipcraft_interchange.commands import local_imports, remote_imports
from ipcraft_interchange.commands.bars import shown
from ipcraft_interchange.commands.findings import tell, write_report
from ipcraft_interchange.commands.orders import Order
from ipcraft_interchange.intake import Choices, unknown_fields
from ipcraft_ipam import named_organization, organization_option

_NETWORK = "network"


@click.command("import")
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, required=True)
@organization_option
@click.option("--format", "form", metavar="NAME", help="Who wrote the files, if they do not tell.")
@click.option(
    "--section",
    metavar="NAME",
    help="The folder of subnets without one, by name or id; made when there is none of the name.",
)
@click.option(
    "--vrf",
    metavar="NAME",
    help="The VRF of what has none, by name, RD or id; made when there is none of the name.",
)
@click.option(
    "--column",
    "columns",
    metavar="FIELD=COLUMN",
    multiple=True,
    help="The column that has a field, such as ip=Address; may be given often. Without FIELD= it "
    "is the one of the networks.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would become of each row.")
@click.option("--skip-bad-rows", is_flag=True, help="Import the others when some rows are refused.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write into this CSV file what became of each row.",
)
@server_options
@click.pass_obj
def import_command(
    invocation: Invocation,
    /,
    *,
    files: Sequence[Path],
    organization: str | None,
    form: str | None,
    section: str | None,
    vrf: str | None,
    columns: Sequence[str],
    dry_run: bool,
    skip_bad_rows: bool,
    report: Path | None,
    server: Client | None,
) -> None:
    """Import what FILES list.

    FILES are exports of IPCraft, NetBox, phpIPAM, Infoblox, AWS or Azure, Amazon's ip-ranges.json,
    or any CSV, Excel or JSON file with networks or addresses; archives of them, too. All rows are
    checked first; when one would be refused, nothing is imported. What is there already is
    changed where the files say otherwise, so importing a file again changes nothing.
    """
    order = Order(
        paths=[_readable(path) for path in files],
        choices=Choices(format=form, section=section, vrf=vrf, columns=_mapped(columns)),
        dry_run=dry_run,
        skip_bad_rows=skip_bad_rows,
    )
    with shown() as bars:
        if server is None:
            app = invocation.application()
            chosen = named_organization(app, organization)
            work = local_imports.imported(app, chosen.id, order, bars=bars)
        else:
            work = remote_imports.imported(server, order, bars=bars)
        with work as findings:
            tell(findings)
            if report is not None:
                write_report(findings, report)
    if findings.counts["refused"] and not skip_bad_rows:
        click.get_current_context().exit(1)


load_command = click.Command(
    "load",
    params=import_command.params,
    callback=import_command.callback,
    short_help="The former name of import.",
    help="Do what `ipcraft import` does: this is its former name, and goes on working.",
)


def _mapped(columns: Sequence[str]) -> dict[str, str]:
    mapped: dict[str, str] = {}
    for text in columns:
        field, equals, column = text.partition("=")
        if not equals:
            field, column = _NETWORK, text
        if not column:
            raise click.UsageError(f"--column {text}: write it like ip=Address")
        mapped[field] = column
    for name in unknown_fields(mapped):
        raise click.UsageError(f"--column: there is no field {name!r}")
    return mapped


def _readable(path: Path) -> Path:
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise Invalid(f"{path}: cannot be read: {error.strerror}") from error
