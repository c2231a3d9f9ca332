"""Ten thousand addresses in one call."""

from __future__ import annotations

from bench.datasets import BATCH, HUGE, SMALL, Inventory, Shape, dotted
from bench.figures import Series
from bench.grounds import Grounds, say
from bench.load import drive
from bench.messages import request
from bench.table import Goal, Line


def bulk(grounds: Grounds) -> list[Line]:
    """Create full batches in fresh subnets, small and huge by turns."""
    shapes = (SMALL, HUGE)
    series: dict[Shape, Series] = {shape: Series() for shape in shapes}
    for number in range(grounds.effort.rounds):
        for shape in shapes:
            inventory = grounds.inventory(shape)
            say(f"10,000 addresses in one call, {shape.name}, round {number + 1}")
            message = _batch(inventory)
            series[shape].add(
                drive(inventory.account.endpoint, [iter([message])], expected=201, seconds=1)
            )
    small = series[SMALL]
    return [
        Line(
            operation=f"POST {BATCH:,} addresses",
            series=series[shape],
            data=shape.name,
            clients=1,
            ratio=None if shape is SMALL else series[shape].p50 / small.p50,
            to="" if shape is SMALL else "p50 small",
            value=series[shape].p50 / 1000,
            goals=(Goal("value", "<=", 2, " s"),),
            note=f"{series[shape].p50 / 1000:.2f} s",
        )
        for shape in shapes
    ]


def _batch(inventory: Inventory) -> bytes:
    first = next(inventory.scratch)
    subnet = inventory.new_subnet(first)
    hosts = range(first + 1, first + 1 + BATCH)
    body = [{"ip": dotted(host), "hostname": f"host-{host}.example"} for host in hosts]
    path = f"/api/v1/subnets/{subnet}/addresses"
    return request("POST", path, key=inventory.account.key, body=body)
