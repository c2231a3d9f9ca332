"""Imports into the database itself."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ipcraft.plugin import Application
from ipcraft_interchange.commands.bars import Bars
from ipcraft_interchange.commands.findings import Findings
from ipcraft_interchange.commands.orders import Order
from ipcraft_interchange.importing import Import, Phase, opened
from ipcraft_interchange.intake import Upload
from ipcraft_interchange.services import importers
from ipcraft_interchange.writing import Target


@contextmanager
def imported(
    app: Application, organization_id: str, order: Order, *, bars: Bars
) -> Iterator[Findings]:
    """Import into an organization, and give the findings as long as they are asked for."""
    section: Mapping[str, Any] = app.section("interchange")

    def progress(phase: Phase, done: int) -> None:
        bars.advance(phase, done, total=None if phase == "reading" else current.staging.count)

    target = Target(app.storage, organization_id, None)
    with _rare_collections(), opened(target, progress=progress) as current:
        current.read(
            [Upload(path.name, path) for path in order.paths],
            importers=importers(app),
            choices=order.choices,
            limit=section["max_unpacked_bytes"],
        )
        summary = current.check()
        is_done = order.is_done_with(summary.refused)
        if is_done:
            summary = current.write()
        bars.close()
        yield Findings(
            counts=summary.counts["total"],
            notes=summary.notes,
            rows=lambda outcome: _rows(current, outcome),
            is_done=is_done,
        )


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Look for unreachable cycles rarely.

    PERF: rows make very many objects and no cycles; looking for some took a tenth of the time.
    """
    usual = gc.get_threshold()
    gc.set_threshold(100_000, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def _rows(current: Import, outcome: str | None) -> Iterator[Mapping[str, Any]]:
    for page in current.report():
        yield from (row for row in page if outcome in (None, row["outcome"]))
