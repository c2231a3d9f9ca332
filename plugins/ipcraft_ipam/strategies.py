"""Ways to choose the next address of a subnet."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ipcraft.plugin import Invalid, Reader, did_you_mean
from ipcraft_ipam import subnets
from ipcraft_ipam.free_space import FreeRange, ascending, descending
from ipcraft_ipam.networks import Span
from ipcraft_ipam.subnets import Subnet

_TRIES = 32


class FreeSpace:
    """Be the free addresses of a subnet, as spans, read from the database as far as they are used.

    An address in a span may have been taken a moment ago; whoever takes the strategy's candidates
    notices and goes on to the next.
    """

    def __init__(self, tx: Reader, subnet: Subnet, known: list[FreeRange] | None = None) -> None:
        self.tx = tx
        """The transaction, for a strategy that looks into tables of its own."""
        self.home = subnet
        """The subnet."""
        self._known = known
        self.seen: list[FreeRange] = list(known or ())
        """The ranges read so far."""

    @classmethod
    def of(cls, tx: Reader, subnet_id: str) -> FreeSpace:
        """Give the free space of a subnet, to look at. Raises `NotFound`."""
        return cls(tx, subnets.get(tx, subnet_id))

    @property
    def vrf_id(self) -> str | None:
        """Give the VRF of the subnet, None for the global one."""
        return self.home.vrf_id or None

    @property
    def usable(self) -> Span:
        """Give the addresses the subnet can assign, free or not."""
        return self.home.network.usable(is_pool=self.home.is_pool)

    @property
    def gateway(self) -> int | None:
        """Give the subnet's gateway; it is in no span."""
        return self.home.gateway

    def spans(self, start: int | None = None) -> Iterator[Span]:
        """Give the free spans in order, from the lowest, or from an address on."""
        first = self._known if start is None else None
        for found in first or ():
            yield self._note(found)
        after = start if start is not None else self.usable.first
        if first is not None:
            if len(first) < PAGE:
                return
            after = first[-1].span.last + 1
        for found in ascending(self.tx, self.home.id, after):
            span = self._note(found)
            yield Span(max(span.first, after), span.last)

    def spans_down(self) -> Iterator[Span]:
        """Give the free spans from the highest."""
        for found in descending(self.tx, self.home.id, self.home.network.last):
            yield self._note(found)

    def _note(self, found: FreeRange) -> Span:
        self.seen.append(found)
        return found.span


PAGE = 8
"""How many of a subnet's lowest ranges are read together with the subnet."""


@dataclass(frozen=True, slots=True)
class AllocationStrategy:
    """Name a way to choose addresses.

    `candidates` gets the free space and how many addresses are wanted, and gives addresses (as
    numbers) in the order of preference, as many as it likes: those others hold are passed over.
    """

    name: str
    candidates: Callable[[FreeSpace, int], Iterator[int]]


def first(space: FreeSpace, count: int) -> Iterator[int]:
    """Prefer the lowest address."""
    for span in space.spans():
        yield from range(span.first, span.last + 1)


def last(space: FreeSpace, count: int) -> Iterator[int]:
    """Prefer the highest address."""
    for span in space.spans_down():
        yield from range(span.last, span.first - 1, -1)


def at_random(space: FreeSpace, count: int) -> Iterator[int]:
    """Prefer no address: any free one, so that the next is hard to guess."""
    usable = space.usable
    for _ in range(_TRIES + count):
        start = random.randint(usable.first, usable.last)
        span = next(space.spans(start), None) or next(space.spans(), None)
        if span is None:
            return
        yield random.randint(span.first, min(span.last, span.first + _REACH))
    yield from first(space, count)


_REACH = 1 << 16


def named(strategies: Mapping[str, AllocationStrategy], name: str) -> AllocationStrategy:
    """Give the strategy of a name. Raises `Invalid` naming those there are."""
    if name not in strategies:
        known = ", ".join(strategies)
        raise Invalid.field(
            "strategy",
            f"there is no strategy {name[:64]!r}{did_you_mean(name, strategies)}; "
            f"there are {known}",
            code="unknown_strategy",
        )
    return strategies[name]


BUILT_IN = (
    AllocationStrategy("first", first),
    AllocationStrategy("last", last),
    AllocationStrategy("random", at_random),
)
