"""First-free in subnets that are empty, half full and nearly full: the search must be flat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat

from bench.datasets import cidr, fill, subnets
from bench.figures import Series
from bench.grounds import Grounds, say
from bench.limit import limit_round
from bench.load import drive, shared
from bench.messages import request
from bench.servers import Account
from bench.table import Goal, Line
from bench.tidying import delete_created

_FLAT = (Goal("ratio", "<=", 1.5),)
_TAKEN = 48
"""Addresses taken and given back per round; 99.9 % of a /16 leaves 65."""


@dataclass(frozen=True, slots=True)
class Filling:
    """Describe a subnet and which of its addresses are used."""

    name: str
    network: str
    used: Sequence[int]


def fullness(grounds: Grounds) -> list[Line]:
    """Find and take the first free address at every fill, by turns."""
    site = grounds.site("small")
    account = site.organization("fullness")
    fillings = _fillings(grounds)
    made = subnets(account, [filling.network for filling in fillings])
    for subnet, filling in zip(made, fillings, strict=True):
        say(f"filling: {filling.name}")
        fill(account, subnet, iter(filling.used), total=len(filling.used))
    site.settle()
    lines: list[Line] = []
    for clients in (1, 16):
        lines += _find(grounds, account, dict(zip(made, fillings, strict=True)), clients=clients)
    return lines + _take(grounds, account, dict(zip(made, fillings, strict=True)))


def _fillings(grounds: Grounds) -> list[Filling]:
    million = grounds.effort.sized(1_000_000, least=70_000)
    sixteen = [(172 << 24) + (n << 16) for n in range(16, 19)]
    return [
        Filling("/16 empty", cidr(sixteen[0], 16), ()),
        Filling(
            "/16 50 %, every second", cidr(sixteen[1], 16), range(*_span(sixteen[1], 65_535), 2)
        ),
        Filling("/16 99.9 %", cidr(sixteen[2], 16), range(*_span(sixteen[2], 65_470))),
        Filling(f"/8, {million:,} used", "30.0.0.0/8", range(*_span(30 << 24, million + 1))),
    ]


def _span(first: int, end: int) -> tuple[int, int]:
    return first + 1, first + end


def _find(
    grounds: Grounds, account: Account, made: dict[str, Filling], *, clients: int
) -> list[Line]:
    effort = grounds.effort
    limit = Series()
    series = {subnet: Series() for subnet in made}
    for number in range(effort.rounds):
        say(f"GET first-free at every fill, {clients} clients, round {number + 1}")
        limit.add(limit_round(grounds, "select", clients=clients))
        for subnet in made:
            message = request("GET", f"/api/v1/subnets/{subnet}/first-free", key=account.key)
            requests = repeat(message, effort.amount(clients))
            series[subnet].add(
                drive(account.endpoint, shared(requests, clients), seconds=effort.seconds)
            )
    return _lines("GET first-free", made, series, limit=limit, clients=clients)


def _take(grounds: Grounds, account: Account, made: dict[str, Filling]) -> list[Line]:
    effort = grounds.effort
    limit = Series()
    series = {subnet: Series() for subnet in made}
    for number in range(effort.rounds):
        say(f"POST first-free at every fill, round {number + 1}")
        limit.add(limit_round(grounds, "insert", clients=1))
        for subnet in made:
            path = f"/api/v1/subnets/{subnet}/first-free"
            message = request("POST", path, key=account.key, body={"hostname": "taken.example"})
            figures = drive(
                account.endpoint,
                [repeat(message, _TAKEN)],
                expected=201,
                seconds=effort.seconds,
                keep=True,
            )
            series[subnet].add(figures)
            delete_created(account, figures.answers, collection="addresses")
    return _lines("POST first-free", made, series, limit=limit, clients=1)


def _lines(
    operation: str,
    made: dict[str, Filling],
    series: dict[str, Series],
    *,
    limit: Series,
    clients: int,
) -> list[Line]:
    empty = next(iter(series.values()))
    return [
        Line(
            operation=operation,
            series=series[subnet],
            data=filling.name,
            clients=clients,
            of_limit=series[subnet].rate_beside(limit),
            ratio=None if series[subnet] is empty else series[subnet].p50 / empty.p50,
            to="" if series[subnet] is empty else "p50 empty",
            goals=() if series[subnet] is empty else _FLAT,
        )
        for subnet, filling in made.items()
    ]
