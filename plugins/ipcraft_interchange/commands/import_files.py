"""``ipcraft import``: what files list, into an organization."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any

import click

from ipcraft.plugin import Application, Invalid, pass_application, progress_bar
from ipcraft_interchange.importing import Import, Phase, opened
from ipcraft_interchange.intake import Choices, Upload, unknown_fields
from ipcraft_interchange.reports import OUTCOMES, Summary
from ipcraft_interchange.services import importers
from ipcraft_interchange.writing import Target
from ipcraft_ipam import named_organization, organization_option

_SHOWN = 20


@click.command("import")
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, required=True)
@organization_option
@click.option("--format", "form", metavar="NAME", help="Who wrote the files, if they do not tell.")
@click.option(
    "--section", metavar="NAME", help="The folder of subnets without one; made when there is none."
)
@click.option(
    "--vrf", metavar="NAME", help="The VRF of what has none; made when there is none of the name."
)
@click.option(
    "--column",
    "columns",
    metavar="FIELD=COLUMN",
    multiple=True,
    help="The column that has a field, such as ip=Address; may be given often.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would become of each row.")
@click.option("--skip-bad-rows", is_flag=True, help="Import the others when some rows are refused.")
@pass_application
def import_command(
    app: Application,
    *,
    files: Sequence[Path],
    organization: str | None,
    form: str | None,
    section: str | None,
    vrf: str | None,
    columns: Sequence[str],
    dry_run: bool,
    skip_bad_rows: bool,
) -> None:
    """Import what FILES list.

    FILES are exports of IPCraft, NetBox, phpIPAM, Infoblox, AWS or Azure, Amazon's ip-ranges.json,
    or any CSV, Excel or JSON file with networks or addresses; archives of them, too. All rows are
    checked first; when one would be refused, nothing is imported. What is there already is
    changed where the files say otherwise, so importing a file again changes nothing.
    """
    choices = Choices(format=form, section=section, vrf=vrf, columns=_mapped(columns))
    chosen = named_organization(app, organization)
    uploads = [Upload(path.name, _readable(path)) for path in files]
    section_of: Mapping[str, Any] = app.section("interchange")
    with ExitStack() as stack:
        bars = _Bars(stack)
        current = stack.enter_context(
            opened(Target(app.storage, chosen.id, None), progress=bars.advance)
        )
        bars.total = lambda: current.staging.count
        current.read(
            uploads,
            importers=importers(app),
            choices=choices,
            limit=section_of["max_unpacked_bytes"],
        )
        summary = current.check()
        stops = bool(summary.refused) and not skip_bad_rows
        if not dry_run and not stops:
            summary = current.write()
        bars.close()
        _show(current, summary, is_done=not dry_run and not stops)
    if stops or (summary.refused and not skip_bad_rows):
        click.get_current_context().exit(1)


def _mapped(columns: Sequence[str]) -> dict[str, str]:
    mapped: dict[str, str] = {}
    for text in columns:
        field, equals, column = text.partition("=")
        if not equals or not column:
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


def _show(current: Import, summary: Summary, *, is_done: bool) -> None:
    for note in summary.notes:
        click.echo(note)
    refused = _refused(current)
    for row in islice(refused, _SHOWN):
        click.echo(_complaint(row), err=True)
    more = summary.refused - _SHOWN
    if more > 0:
        click.echo(f"and {more} more", err=True)
    counts = summary.counts["total"]
    words = ", ".join(f"{counts[outcome]} {outcome}" for outcome in OUTCOMES)
    click.echo(f"{summary.total} rows: {words}{'' if is_done else ' (nothing was imported)'}")


def _refused(current: Import) -> Iterator[dict[str, Any]]:
    for page in current.report():
        yield from (row for row in page if row["outcome"] == "refused")


def _complaint(row: Mapping[str, Any]) -> str:
    column = f", column {row['column']}" if row["column"] else ""
    label = f" ({row['label']})" if row["label"] else ""
    return f"{row['file']}, line {row['line']}{column}{label}: {row['reason']}"


class _Bars:
    """Show a progress bar for each phase, one after the other."""

    def __init__(self, stack: ExitStack) -> None:
        self._outer = stack
        self._phase: Phase | None = None
        self._bar = ExitStack()
        self._advance: Callable[[int], object] = lambda done: None
        self.total: Callable[[], int] = lambda: 0
        stack.push(self._bar)

    def advance(self, phase: Phase, done: int) -> None:
        """Move the bar of a phase on."""
        if phase != self._phase:
            self.close()
            self._phase = phase
            total = None if phase == "reading" else self.total()
            self._advance = self._bar.enter_context(progress_bar(phase, total=total))
        self._advance(done)

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()
