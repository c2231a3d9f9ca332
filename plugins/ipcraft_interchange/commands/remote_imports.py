"""Imports by a served IPCraft."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ipcraft.plugin import Client, Invalid
from ipcraft_interchange.commands.bars import Bars
from ipcraft_interchange.commands.findings import Findings
from ipcraft_interchange.commands.orders import Order
from ipcraft_interchange.imports import UNDER_WAY

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0


@contextmanager
def imported(server: Client, order: Order, *, bars: Bars) -> Iterator[Findings]:
    """Have the server import, and give the findings; it forgets what it was not to import.

    Raises `RequestRefused` and `Unreachable`, and `Invalid` when the server gave up.
    """
    bars.advance("uploading", 0)
    import_id = server.upload("imports", order.paths, **_options(order)).body["id"]
    found = _settled(server, import_id, bars)
    bars.close()
    if found["state"] == "failed":
        raise Invalid(f"{import_id} failed: {found['reason']}")
    is_done = found["state"] == "done"
    rows = server.collection(f"imports/{import_id}/rows")
    yield Findings(
        counts=found["counts"]["total"],
        notes=found["notes"],
        rows=lambda outcome: rows.each(**({"outcome": outcome} if outcome else {})),
        is_done=is_done,
    )
    if not is_done:
        server.request("DELETE", f"imports/{import_id}")


def _options(order: Order) -> dict[str, str]:
    choices = order.choices
    options = {
        "format": choices.format,
        "section": choices.section,
        "vrf": choices.vrf,
        "columns": json.dumps(dict(choices.columns)) if choices.columns else None,
        "filename": order.paths[0].name if len(order.paths) == 1 else None,
        "run": None if order.dry_run else "true",
        "skip_bad_rows": "true" if order.skip_bad_rows else None,
    }
    return {name: value for name, value in options.items() if value is not None}


def _settled(server: Client, import_id: str, bars: Bars) -> Mapping[str, Any]:
    """Wait until no job is at the import any more, and give it."""
    pause = _FIRST_PAUSE
    while True:
        found: Mapping[str, Any] = server.request("GET", f"imports/{import_id}").body
        if found["state"] not in UNDER_WAY:
            return found
        progress = found["progress"]
        if progress["phase"] is not None:
            bars.reach(progress["phase"], progress["done"], total=progress["total"])
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
