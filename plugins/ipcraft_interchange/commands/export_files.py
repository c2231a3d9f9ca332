"""``ipcraft export``: everything an organization has, into a file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO, cast

import click

from ipcraft.plugin import Application, Invalid, pass_application, progress_bar
from ipcraft_interchange.exporting import FORMATS, Format, Inventory, export
from ipcraft_ipam import inventory_size, named_organization, organization_option


@click.command("export")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@organization_option
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    help="Without it the file's name tells: json for .json, csv for all else.",
)
@pass_application
def export_command(
    app: Application, *, file: Path, organization: str | None, form: str | None
) -> None:
    """Write everything an organization has into FILE.

    As CSV it is an archive with a table for each kind, as JSON one document. `ipcraft import` reads
    both; into an empty organization it makes the same again. "-" writes to standard output.
    """
    chosen = named_organization(app, organization)
    written = cast("Format", form or ("json" if file.suffix == ".json" else "csv"))
    with app.storage.read(chosen.id) as tx:
        inventory = Inventory(lambda: nullcontext(tx))
        with progress_bar(str(file), total=inventory_size(tx)) as advance:
            inventory.advance = advance
            pieces = export(inventory, written)
            if str(file) == "-":
                _write(sys.stdout.buffer, pieces)
                return
            try:
                with file.open("wb") as target:
                    _write(target, pieces)
            except OSError as error:
                raise Invalid(f"{file}: cannot be written: {error.strerror}") from error


def _write(target: BinaryIO, pieces: Iterator[bytes]) -> None:
    for piece in pieces:
        target.write(piece)
