"""The delete of a very large subnet, and what other tenants notice of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

from bench.api import exchange
from bench.datasets import CASCADE, SMALL, Inventory
from bench.figures import Figures, Series
from bench.grounds import Grounds, say
from bench.load import drive, shared
from bench.operations import create_address, get_address
from bench.table import Goal, Line

_CLIENTS = 4
_LONGEST = 300.0


def cascade(grounds: Grounds) -> list[Line]:
    """Delete the subnet while another tenant of the same server reads and writes."""
    other = grounds.inventory(SMALL)
    doomed = grounds.inventory(CASCADE, site=SMALL.name)
    size = f"{doomed.shape.subnets - 1:,} children, {doomed.shape.addresses:,} addresses"
    say(f"deleting a subnet with {size}")
    quiet = Series([_others(other, seconds=grounds.effort.seconds)])
    with ThreadPoolExecutor(1) as pool:
        deletion = pool.submit(_delete, doomed)
        busy = Series([_others(other, seconds=_LONGEST, until=deletion.done)])
        seconds, code = deletion.result()
    return [
        Line(
            operation="DELETE subnet",
            series=Series.once(seconds),
            data=size,
            clients=1,
            value=seconds,
            goals=(Goal("value", "<=", 10, " s"),),
            note=f"{seconds:.1f} s",
            fault="" if code == 204 else f"DELETE answered {code}",
        ),
        Line(
            operation="another tenant, before",
            series=quiet,
            data="GET and POST address",
            clients=_CLIENTS,
        ),
        Line(
            operation="another tenant, meanwhile",
            series=busy,
            data="GET and POST address",
            clients=_CLIENTS,
            ratio=busy.p99 / quiet.p99,
            to="p99 before",
            note=f"slowest {busy.percentile(1.0):,.0f} ms",
        ),
    ]


def _delete(doomed: Inventory) -> tuple[float, int]:
    account = doomed.account
    started = time.perf_counter()
    code, _ = exchange(
        account.endpoint, "DELETE", f"/api/v1/subnets/{doomed.root}", key=account.key
    )
    return time.perf_counter() - started, code


def _others(
    inventory: Inventory, *, seconds: float, until: Callable[[], bool] | None = None
) -> Figures:
    mixed = _mixed(inventory)
    return drive(
        inventory.account.endpoint,
        shared(mixed, _CLIENTS),
        expected=frozenset({200, 201}),
        seconds=seconds,
        until=until,
    )


def _mixed(inventory: Inventory) -> Iterator[bytes]:
    """Read nine times, write once."""
    reads = get_address(inventory)
    for write in create_address(inventory):
        yield from chain((next(reads) for _ in range(9)), [write])
