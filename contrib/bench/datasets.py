"""The data sets, made through the public API's bulk calls.

One layout at every size, so that a subnet looks the same in a small and in a huge organization:
a root 10.0.0.0/7, below it /19s, in each /19 up to 32 /24s (the leaves), and the addresses spread
evenly over the leaves, from the bottom up. Room is left everywhere for what the operations create.
"""

from __future__ import annotations

import random
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count, islice
from typing import Any, TypeVar

import click

from bench.api import call
from bench.servers import Account, Site

T = TypeVar("T")

BATCH = 10_000
SAMPLE = 20_000
"""How many address ids are remembered to be asked for."""

_ROOT = 10 << 24
_LEAVES_PER_MIDDLE = 32
_SCRATCH = 20 << 24
_BUILDERS = 2


@dataclass(frozen=True, slots=True)
class Shape:
    """Say how large a data set is."""

    name: str
    subnets: int
    addresses: int
    flat: bool = False
    """Every subnet directly under the root, without /19s between."""

    def scaled(self, scale: float) -> Shape:
        """Give the same data set at another scale, not smaller than makes sense."""
        subnets = max(40, int(self.subnets * scale))
        return Shape(self.name, subnets, max(subnets, int(self.addresses * scale)), self.flat)

    @property
    def middles(self) -> int:
        """Give the number of /19s."""
        return 0 if self.flat else -(-(self.subnets - 1) // (_LEAVES_PER_MIDDLE + 1))

    @property
    def leaves(self) -> int:
        """Give the number of /24s."""
        return self.subnets - 1 - self.middles

    def leaf(self, number: int) -> int:
        """Give the network address of a leaf."""
        return _ROOT + number * 256

    def held(self, number: int) -> int:
        """Give how many addresses a leaf holds at first."""
        share, rest = divmod(self.addresses, self.leaves)
        return share + (number < rest)

    def hosts(self) -> Iterator[int]:
        """Give every address, leaf by leaf."""
        for number in range(self.leaves):
            first = self.leaf(number) + 1
            yield from range(first, first + self.held(number))


SMALL = Shape("small", 100, 5_000)
LARGE = Shape("large", 5_000, 300_000)
MILLION = Shape("million", 4_500, 1_000_000)
HUGE = Shape("huge", 100_000, 2_000_000)
CASCADE = Shape("cascade", 10_001, 1_000_000, flat=True)


@dataclass(slots=True)
class Inventory:
    """A data set that stands: the ids to ask for, and what is still free to create."""

    shape: Shape
    site: Site
    account: Account
    root: str
    middles: Sequence[str]
    leaves: Sequence[str]
    addresses: Sequence[str]
    fresh_hosts: Iterator[tuple[str, str]] = field(init=False)
    """Leaf id and an unused address in it, from the top of the leaves down."""
    fresh_leaves: Iterator[str] = field(init=False)
    """Unused /24s directly under the root."""
    scratch: Iterator[int] = field(init=False)
    """Network addresses of unused /16s outside the root."""

    def __post_init__(self) -> None:
        self.fresh_hosts = self._fresh_hosts()
        self.fresh_leaves = (cidr(_ROOT + n * 256, 24) for n in self._leaf_numbers())
        self.scratch = (_SCRATCH + (n << 16) for n in count())

    def _fresh_hosts(self) -> Iterator[tuple[str, str]]:
        highest = self.shape.held(0)
        for offset in range(254, highest, -1):
            for number, leaf in enumerate(self.leaves):
                yield leaf, dotted(self.shape.leaf(number) + offset)

    def _leaf_numbers(self) -> Iterator[int]:
        taken = max(self.shape.middles * _LEAVES_PER_MIDDLE, self.shape.leaves)
        yield from range(taken, 1 << 17)

    def new_subnet(self, first: int) -> str:
        """Create a /16 and give its id."""
        body = {"network": cidr(first, 16), "name": "bench"}
        made = call(self.account, "/api/v1/subnets", body=body)
        identifier: str = made["id"]
        return identifier


def build(shape: Shape, site: Site) -> Inventory:
    """Make a data set in an organization of its own."""
    account = site.organization(shape.name)
    root = subnets(account, [cidr(_ROOT, 7)])[0]
    middles = subnets(account, [cidr(_ROOT + (n << 13), 19) for n in range(shape.middles)])
    leaves = subnets(account, [cidr(shape.leaf(n), 24) for n in range(shape.leaves)])
    sample = fill(account, root, shape.hosts(), total=shape.addresses)
    site.settle()
    return Inventory(shape, site, account, root, middles, leaves, sample)


def subnets(account: Account, networks: Sequence[str]) -> list[str]:
    """Create subnets in bulk and give their ids."""
    made: list[str] = []
    for batch in batches(networks):
        bodies = [{"network": network, "name": f"Network {network}"} for network in batch]
        answer = call(account, "/api/v1/subnets", body=bodies)
        made += [item["id"] for item in answer]
    return made


def fill(account: Account, subnet: str, hosts: Iterator[int], *, total: int) -> list[str]:
    """Create addresses in bulk and give a random sample of their ids."""
    keep = min(1.0, SAMPLE / max(1, total))
    chooser = random.Random(total)
    sample: list[str] = []

    def send(batch: list[dict[str, Any]]) -> int:
        answer = call(account, f"/api/v1/subnets/{subnet}/addresses", body=batch)
        sample.extend(item["id"] for item in answer if chooser.random() <= keep)
        return len(answer)

    bodies = ({"ip": dotted(host), "hostname": f"host-{host}.example"} for host in hosts)
    with click.progressbar(
        length=total, label=f"  {account.organization_id}", file=sys.stderr
    ) as bar:
        in_parallel(send, batches(bodies), done=bar.update)
    chooser.shuffle(sample)
    return sample


def in_parallel(
    send: Callable[[list[dict[str, Any]]], int],
    work: Iterator[list[dict[str, Any]]],
    *,
    done: Callable[[int], None],
) -> None:
    """Send batches, two at a time, taking each from the iterator only when there is room."""
    with ThreadPoolExecutor(_BUILDERS) as pool:
        while wave := list(islice(work, _BUILDERS)):
            for created in pool.map(send, wave):
                done(created)


def batches(items: Iterator[T] | Sequence[T]) -> Iterator[list[T]]:
    """Cut items into lists that one bulk call takes."""
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH)):
        yield batch


def dotted(address: int) -> str:
    """Write an IPv4 address."""
    return socket.inet_ntoa(address.to_bytes(4, "big"))


def cidr(address: int, length: int) -> str:
    """Write an IPv4 network."""
    return f"{dotted(address)}/{length}"
