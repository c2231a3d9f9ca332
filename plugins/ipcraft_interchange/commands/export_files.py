"""``ipcraft export``: everything an organization has, into a file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO, cast

import click

from ipcraft.plugin import Client, Invalid, Invocation, progress_bar, server_options
from ipcraft_interchange.exporting import FORMATS, Format, Inventory, export
from ipcraft_ipam import inventory_size, named_organization, organization_option

_STANDARD_OUTPUT = "-"


@click.command("export")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@organization_option
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    help="Without it the file's name tells: json for .json, csv for all else.",
)
@server_options
@click.pass_obj
def export_command(
    invocation: Invocation,
    /,
    *,
    file: Path,
    organization: str | None,
    form: str | None,
    server: Client | None,
) -> None:
    """Write everything an organization has into FILE.

    As CSV it is an archive with a table for each kind, as JSON one document. `ipcraft import` reads
    both; into an empty organization it makes the same again. "-" writes to standard output. A file
    that is there is replaced when the new one is whole.
    """
    written = cast("Format", form or ("json" if file.suffix == ".json" else "csv"))
    if server is not None:
        with progress_bar(str(file), total=None) as advance:
            _write(file, server.download("export", format=written), advance=advance)
        return
    app = invocation.application()
    chosen = named_organization(app, organization)
    with app.storage.read(chosen.id) as tx:
        inventory = Inventory(lambda: nullcontext(tx))
        with progress_bar(str(file), total=inventory_size(tx)) as advance:
            inventory.advance = advance
            _write(file, export(inventory, written))


def _write(
    file: Path,
    pieces: Iterator[bytes],
    *,
    advance: Callable[[int], object] = lambda done: None,
) -> None:
    try:
        with _opened(file) as target:
            for piece in pieces:
                target.write(piece)
                advance(len(piece))
    except OSError as error:
        raise Invalid(f"{file}: cannot be written: {error.strerror}") from error


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    """Give what is written to; a file that is there stays until the new one is whole."""
    if str(file) == _STANDARD_OUTPUT:
        yield sys.stdout.buffer
        return
    if file.exists() and not file.is_file():  # a pipe or a device
        with file.open("wb") as target:
            yield target
        return
    whole = file.resolve()
    partial = whole.with_name(f"{whole.name}.part")
    try:
        with partial.open("wb") as target:
            yield target
        partial.replace(whole)
    finally:
        partial.unlink(missing_ok=True)
