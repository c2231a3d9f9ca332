"""What the bare application does: the measure of everything else."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import count, islice
from typing import Literal

from bench import bare
from bench.datasets import dotted
from bench.figures import Figures, Series
from bench.grounds import Grounds
from bench.load import drive, shared, warm
from bench.messages import request
from bench.table import Line

Limit = Literal["select", "insert", "fifty"]

_STATUS: dict[Limit, int] = {"select": 200, "insert": 201, "fifty": 200}
_NAMES: dict[Limit, str] = {
    "select": "limit: select one row",
    "insert": "limit: insert one row",
    "fifty": "limit: select fifty rows",
}
_numbers = count(1)


def limit_round(grounds: Grounds, limit: Limit, *, clients: int) -> Figures:
    """Run one round of the bare application."""
    messages = list(islice(_requests(limit, grounds.bare_rows), grounds.effort.amount(clients)))
    return drive(
        grounds.bare,
        shared(iter(messages), clients),
        expected=_STATUS[limit],
        seconds=grounds.effort.seconds,
    )


def limits(grounds: Grounds) -> list[Line]:
    """Measure the bare application alone."""
    lines: list[Line] = []
    warm(grounds.bare, _requests("select", grounds.bare_rows))
    for limit, name in _NAMES.items():
        for clients in (1, 16):
            series = Series()
            for _ in range(grounds.effort.rounds):
                series.add(limit_round(grounds, limit, clients=clients))
            rows = f"{grounds.bare_rows:,}"
            lines.append(Line(operation=name, series=series, data=rows, clients=clients))
    return lines


def _requests(limit: Limit, rows: int) -> Iterator[bytes]:
    chooser = random.Random(rows)
    if limit == "insert":
        for number in _numbers:
            body = {"ip": dotted(number), "hostname": f"host-{number}.example"}
            yield request("POST", "/addresses", body=body)
    while True:
        row = bare.identifier(chooser.randrange(rows))
        yield request("GET", f"/addresses?from={row}" if limit == "fifty" else f"/addresses/{row}")
