"""Sixteen clients on one subnet, and on sixteen: nobody gets what another got, and nobody waits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat
from statistics import median
from typing import Any

from bench.api import call
from bench.datasets import SMALL, Inventory
from bench.figures import Figures, Series
from bench.grounds import Grounds, say
from bench.limit import limit_round
from bench.load import drive
from bench.messages import document, request, status
from bench.table import Goal, Line

CLIENTS = 16


def hotspot(grounds: Grounds) -> list[Line]:
    """Take addresses from one subnet and from sixteen, by turns, and count what was given."""
    inventory = grounds.inventory(SMALL)
    one, many, limit = Series(), Series(), Series()
    faults: list[str] = []
    gaps: list[int] = []
    for number in range(grounds.effort.rounds):
        say(f"16 clients on one subnet and on 16, round {number + 1}")
        limit.add(limit_round(grounds, "insert", clients=CLIENTS))
        hot = [inventory.new_subnet(next(inventory.scratch))]
        one.add(_take(grounds, inventory, hot * CLIENTS))
        spread = [inventory.new_subnet(next(inventory.scratch)) for _ in range(CLIENTS)]
        many.add(_take(grounds, inventory, spread))
        for subnets, series in ((hot, one), (spread, many)):
            faults += _faults(inventory, subnets, series.rounds[-1])
        gaps.append(_gaps(inventory, hot[0]))
    ratio = one.rate_beside(many)
    return [
        Line(
            operation="POST first-free, one subnet",
            series=one,
            data="/16",
            clients=CLIENTS,
            of_limit=one.rate_beside(limit),
            ratio=ratio,
            to="op/s on 16",
            goals=(Goal("ratio", ">=", 0.8),),
            note=f"none twice, none lost; {median(gaps):.0f} gaps left" if not faults else "",
            fault="; ".join(faults[:3]),
        ),
        Line(
            operation="POST first-free, 16 subnets",
            series=many,
            data="/16 each",
            clients=CLIENTS,
            of_limit=many.rate_beside(limit),
        ),
    ]


def _take(grounds: Grounds, inventory: Inventory, subnets: Sequence[str]) -> Figures:
    """Let each client take its share of addresses from its subnet."""
    effort = grounds.effort
    share = effort.amount(CLIENTS) // CLIENTS
    return drive(
        inventory.account.endpoint,
        [_requests(inventory, subnet, share) for subnet in subnets],
        expected=201,
        seconds=effort.seconds,
        keep=True,
    )


def _requests(inventory: Inventory, subnet: str, times: int) -> Iterator[bytes]:
    path = f"/api/v1/subnets/{subnet}/first-free"
    body = {"hostname": "taken.example"}
    yield from repeat(request("POST", path, key=inventory.account.key, body=body), times)


def _faults(inventory: Inventory, subnets: Sequence[str], figures: Figures) -> list[str]:
    """Compare what was answered with what is there now."""
    given: list[str] = [
        document(answer)["ip"] for answer in figures.answers if status(answer) == 201
    ]
    kept: list[str] = []
    counted = 0
    for subnet in dict.fromkeys(subnets):
        kept += [item["ip"] for item in _addresses(inventory, subnet)]
        counted += call(inventory.account, f"/api/v1/subnets/{subnet}/usage")["used"]
    faults: list[str] = []
    if len(set(given)) != len(given):
        faults.append(f"{len(given) - len(set(given))} addresses given twice")
    if lost := set(given) - set(kept):
        faults.append(f"{len(lost)} given addresses are not there")
    if len(kept) != len(given) and not figures.statuses.get(0):
        faults.append(f"{len(given)} given, {len(kept)} there")
    if counted != len(kept):
        faults.append(f"usage says {counted}, there are {len(kept)}")
    return faults


def _gaps(inventory: Inventory, subnet: str) -> int:
    """Count free addresses below the highest one taken."""
    hosts = [
        int(item["ip"].split(".")[2]) * 256 + int(item["ip"].split(".")[3])
        for item in _addresses(inventory, subnet)
    ]
    return max(hosts, default=0) - len(hosts)


def _addresses(inventory: Inventory, subnet: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = call(inventory.account, f"/api/v1/subnets/{subnet}/addresses")
    return found
