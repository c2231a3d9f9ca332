"""Single requests at every size: small, large and huge, each round next to the limit."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from bench.datasets import HUGE, LARGE, SMALL, Inventory
from bench.figures import Series
from bench.grounds import Grounds, say
from bench.limit import Limit, limit_round
from bench.load import drive, shared, warm
from bench.messages import request
from bench.table import Goal, Line
from bench.tidying import delete_created


@dataclass(frozen=True, slots=True)
class Operation:
    """Describe a request, the limit it is measured by, and its goals."""

    name: str
    limit: Limit
    requests: Callable[[Inventory], Iterator[bytes]]
    creates: str = ""
    """The collection whose resources the request creates, if it does."""
    of_limit: tuple[Goal, ...] = ()
    growth: tuple[Goal, ...] = ()
    """What p50 at huge may be, in units of p50 at small."""


def get_address(inventory: Inventory) -> Iterator[bytes]:
    """Ask for addresses by id."""
    return _gets(inventory, [f"/api/v1/addresses/{found}" for found in inventory.addresses])


def list_fifty(inventory: Inventory) -> Iterator[bytes]:
    """Ask for the first fifty addresses of a /19."""
    return _gets(inventory, _of(inventory.middles, "addresses?limit=50"))


def get_first_free(inventory: Inventory) -> Iterator[bytes]:
    """Ask for the first free address of a /24."""
    return _gets(inventory, _of(inventory.leaves, "first-free"))


def usage_of_leaf(inventory: Inventory) -> Iterator[bytes]:
    """Ask for the usage of a /24."""
    return _gets(inventory, _of(inventory.leaves, "usage"))


def usage_of_middle(inventory: Inventory) -> Iterator[bytes]:
    """Ask for the usage of a /19 with 32 children."""
    return _gets(inventory, _of(inventory.middles, "usage"))


def usage_of_root(inventory: Inventory) -> Iterator[bytes]:
    """Ask for the usage of the root, which contains everything."""
    return _gets(inventory, _of([inventory.root], "usage"))


def create_address(inventory: Inventory) -> Iterator[bytes]:
    """Create a chosen address in a /24."""
    for leaf, ip in inventory.fresh_hosts:
        body = {"ip": ip, "hostname": f"host-{ip}.example"}
        path = f"/api/v1/subnets/{leaf}/addresses"
        yield request("POST", path, key=inventory.account.key, body=body)


def take_first_free(inventory: Inventory) -> Iterator[bytes]:
    """Take the next address of a random /24."""
    chooser = random.Random(1)
    body = {"hostname": "taken.example"}
    while True:
        path = f"/api/v1/subnets/{chooser.choice(inventory.leaves)}/first-free"
        yield request("POST", path, key=inventory.account.key, body=body)


def create_subnet(inventory: Inventory) -> Iterator[bytes]:
    """Create a /24 under the root."""
    for network in inventory.fresh_leaves:
        body = {"network": network, "name": "new"}
        yield request("POST", "/api/v1/subnets", key=inventory.account.key, body=body)


_HALF = (Goal("of limit", ">=", 0.5),)
_FLAT = (Goal("ratio", "<=", 1.5),)

OPERATIONS = (
    Operation("GET address", "select", get_address, of_limit=_HALF),
    Operation("GET 50 addresses of a /19", "fifty", list_fifty),
    Operation("GET first-free of a /24", "select", get_first_free, growth=_FLAT),
    Operation("GET usage of a /24", "select", usage_of_leaf, growth=_FLAT),
    Operation("GET usage of a /19", "select", usage_of_middle, growth=_FLAT),
    Operation("GET usage of the root", "select", usage_of_root, growth=_FLAT),
    Operation("POST address", "insert", create_address, "addresses", _HALF, _FLAT),
    Operation("POST first-free", "insert", take_first_free, "addresses", _HALF, _FLAT),
    Operation("POST subnet", "insert", create_subnet, "subnets", growth=_FLAT),
)


def operations(grounds: Grounds) -> list[Line]:
    """Measure every operation on every data set."""
    inventories = [grounds.inventory(shape) for shape in (SMALL, LARGE, HUGE)]
    lines: list[Line] = []
    for operation in OPERATIONS:
        for clients in (1, 16):
            say(f"{operation.name}, {clients} clients")
            lines += _measure(grounds, operation, inventories, clients=clients)
    return lines


def _measure(
    grounds: Grounds, operation: Operation, inventories: Sequence[Inventory], *, clients: int
) -> list[Line]:
    effort = grounds.effort
    limit = Series()
    series = {inventory.shape.name: Series() for inventory in inventories}
    sources = [(inventory, operation.requests(inventory)) for inventory in inventories]
    for inventory, requests in sources:
        answers = warm(inventory.account.endpoint, requests)
        delete_created(inventory.account, answers, collection=operation.creates)
    for _ in range(effort.rounds):
        limit.add(limit_round(grounds, operation.limit, clients=clients))
        for inventory, requests in sources:
            messages = list(islice(requests, effort.amount(clients)))
            figures = drive(
                inventory.account.endpoint,
                shared(iter(messages), clients),
                expected=201 if operation.creates else 200,
                seconds=effort.seconds,
                keep=bool(operation.creates),
            )
            series[inventory.shape.name].add(figures)
            delete_created(inventory.account, figures.answers, collection=operation.creates)
    return [
        _line(operation, name, series, limit=limit, clients=clients)
        for name in (inventory.shape.name for inventory in inventories)
    ]


def _line(
    operation: Operation, name: str, series: dict[str, Series], *, limit: Series, clients: int
) -> Line:
    mine, small = series[name], series[SMALL.name]
    return Line(
        operation=operation.name,
        series=mine,
        data=name,
        clients=clients,
        of_limit=mine.rate_beside(limit),
        ratio=None if mine is small else mine.p50 / small.p50,
        to="" if mine is small else "p50 small",
        goals=operation.of_limit + (operation.growth if name == HUGE.name else ()),
        note=f"limit {limit.rate:,.0f}/s",
    )


def _of(subnets: Sequence[str], what: str) -> list[str]:
    return [f"/api/v1/subnets/{subnet}/{what}" for subnet in subnets]


def _gets(inventory: Inventory, paths: Sequence[str]) -> Iterator[bytes]:
    chooser = random.Random(1)
    while True:
        yield request("GET", chooser.choice(paths), key=inventory.account.key)
