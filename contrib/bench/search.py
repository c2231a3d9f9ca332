"""Searches among a million addresses: what all of them have, what few have, and what none has."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, repeat
from urllib.parse import quote

from bench.datasets import MILLION, Inventory, cidr, dotted
from bench.figures import Series
from bench.grounds import Grounds, say
from bench.load import drive, warm
from bench.messages import request
from bench.table import Goal, Line


@dataclass(frozen=True, slots=True)
class Search:
    """Describe a search, and whether it has a goal."""

    name: str
    queries: Callable[[Inventory], Iterator[str]]
    goals: tuple[Goal, ...] = ()


def _same(query: str) -> Callable[[Inventory], Iterator[str]]:
    return lambda inventory: repeat(query)


def _addresses(inventory: Inventory) -> Iterator[str]:
    """Give addresses that are assigned."""
    return (dotted(host) for host in _hosts(inventory))


def _networks(inventory: Inventory) -> Iterator[str]:
    """Give the /24s of addresses."""
    return (cidr(host & ~255, 24) for host in _hosts(inventory))


def _digits(inventory: Inventory) -> Iterator[str]:
    """Give four digits out of hostnames."""
    return (str(host)[-5:-1] for host in _hosts(inventory))


def _hosts(inventory: Inventory) -> Iterator[int]:
    chooser = random.Random(2)
    shape = inventory.shape
    while True:
        number = chooser.randrange(shape.leaves)
        yield shape.leaf(number) + 1 + chooser.randrange(max(1, shape.held(number)))


_GOAL = (Goal("value", "<=", 20, " ms"),)
SEARCHES = (
    Search("4 letters that all have", _same("host"), _GOAL),
    Search("4 letters of some thousands", _digits, _GOAL),
    Search("4 letters that none has", _same("zzzz"), _GOAL),
    Search("an address", _addresses, _GOAL),
    Search("a /24", _networks, _GOAL),
    Search("a /7 with everything", _same("10.0.0.0/7"), _GOAL),
    Search("1 letter that all have", _same("o")),
    Search("1 letter that none has", _same("z")),
    Search("2 letters that all have", _same("mp")),
    Search("2 letters that none has", _same("zq")),
    Search("a field", _same("hostname:host status:active")),
    Search("two terms", _same("host 77.example")),
)


def searches(grounds: Grounds) -> list[Line]:
    """Measure each search, one client, by turns."""
    inventory = grounds.inventory(MILLION)
    size = f"{inventory.shape.addresses:,} addresses"
    return [_line(search, _measure(grounds, inventory, search), size) for search in SEARCHES]


def _measure(grounds: Grounds, inventory: Inventory, search: Search) -> Series:
    say(f"search: {search.name}")
    account = inventory.account
    asked = (
        request("GET", f"/api/v1/search?q={quote(query)}", key=account.key)
        for query in search.queries(inventory)
    )
    warm(account.endpoint, asked)
    series = Series()
    for _ in range(grounds.effort.rounds):
        messages: Sequence[bytes] = list(islice(asked, grounds.effort.amount(1)))
        series.add(drive(account.endpoint, [iter(messages)], seconds=grounds.effort.seconds))
    return series


def _line(search: Search, series: Series, size: str) -> Line:
    return Line(
        operation=f"search: {search.name}",
        series=series,
        data=size,
        clients=1,
        value=series.p99,
        goals=search.goals,
        note=f"p99 {series.p99:.1f} ms",
    )
