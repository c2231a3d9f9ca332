"""Free space as spans, compared with plain sets of addresses."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipcraft.app import Application
from ipcraft.data.statements import Statement
from ipcraft.data.transactions import Reader, Transaction
from ipcraft.testing.organizations import Organization
from ipcraft_ipam import addresses, allocation, free_space, hierarchy
from ipcraft_ipam.free_space import ascending, assignable, descending, without
from ipcraft_ipam.networks import Network, Span, parse_address, parse_network
from ipcraft_ipam.strategies import BUILT_IN
from ipcraft_ipam.verification import verify

small = st.integers(0, 24)


@st.composite
def spans(draw: st.DrawFn) -> Span:
    """Draw a small span."""
    first, last = sorted((draw(small), draw(small)))
    return Span(first, last)


def members(some: list[Span]) -> list[int]:
    """Give every address of the spans, in their order."""
    return [address for span in some for address in range(span.first, span.last + 1)]


def test_what_is_left_around_holes() -> None:
    """`without` is the difference of sets, in order, in as few spans as there can be."""

    @given(spans(), st.lists(spans(), max_size=5))
    def holds(span: Span, holes: list[Span]) -> None:
        left = list(without(span, sorted(holes)))
        assert members(left) == sorted(set(members([span])) - set(members(holes)))
        assert all(low.last + 1 < high.first for low, high in itertools.pairwise(left))

    holds()


def test_an_empty_subnet_may_hand_out_what_is_usable_but_its_gateway() -> None:
    """`assignable` is the usable addresses without the gateway, wherever that is."""

    @given(st.sampled_from(["10.0.0.0/28", "10.0.0.0/31", "fd00::/124", "::/127"]), st.data())
    def holds(text: str, data: st.DataObject) -> None:
        network = parse_network(text)
        addresses = st.integers(network.first, network.last)
        gateway = data.draw(st.none() | addresses)
        is_pool = data.draw(st.booleans())
        usable = members([network.usable(is_pool=is_pool)])
        got = members(assignable(network, is_pool=is_pool, gateway=gateway))
        assert got == [address for address in usable if address != gateway]

    holds()


@pytest.mark.parametrize("lowest", ["10.0.0.0", "255.255.255.224", "::", "fd00::"])
def test_ranges_follow_a_set(
    application: Application, organization: Organization, lowest: str
) -> None:
    """Carving and giving back do to the stored ranges what they do to a set."""
    base = parse_address(lowest)
    count = 40 if application.storage.name == "sqlite" else 8
    step = st.tuples(st.booleans(), st.integers(0, 31), st.integers(1, 6))

    @settings(max_examples=count, deadline=None, database=None)
    @given(st.lists(step, max_size=12))
    def holds(steps: list[tuple[bool, int, int]]) -> None:
        def work(tx: Transaction) -> None:
            free_space.clear(tx, "sub")
            free: set[int] = set()
            for frees, start, size in steps:
                span = Span(base + start, base + min(start + size - 1, 31))
                concerned = set(members([span]))
                if not frees:
                    free_space.carve(tx, "sub", span)
                    free -= concerned
                elif not concerned & free:
                    free_space.give_back(tx, "sub", span)
                    free |= concerned
                check(tx, free, base)

        application.storage.transact(organization.id, work)

    holds()


def check(tx: Transaction, free: set[int], base: int) -> None:
    """Compare the stored ranges with the set, read upward and downward, in short pages."""
    network = Network(base, 27 if base < 1 << 128 else 123)
    up = [found.span for found in ascending(tx, "sub", network.first, page=2)]
    assert members(up) == sorted(free)
    down = [found.span for found in descending(tx, "sub", network.last, page=2)]
    assert down == up[::-1]
    assert all(low.last + 1 < high.first for low, high in itertools.pairwise(up))


def test_ranges_may_come_in_any_order(
    application: Application, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lowest address is found, and taken, wherever the database puts the lowest range."""

    def backwards(reader: Reader, statement: Statement[Any], **parameters: Any) -> list[Any]:
        return asked(reader, statement, **parameters)[::-1]

    def ask_backwards(
        tx: Transaction, statement: Statement[Any], settle: Any, **parameters: Any
    ) -> None:
        ask(tx, statement, lambda rows: settle(rows[::-1]), **parameters)

    def work(tx: Transaction) -> list[int | None]:
        root, _ = hierarchy.create(tx, parse_network("10.0.0.0/28"), {})
        for ip in ("10.0.0.3", "10.0.0.6"):
            addresses.create(tx, root.id, {"ip": parse_address(ip)})
        with monkeypatch.context() as patch:
            patch.setattr(Reader, "all", backwards)
            patch.setattr(Transaction, "ask_all", ask_backwards)
            seen = allocation.first_free(tx, root.id)
            taken = [allocation.take(tx, root.id, {}, strategy=BUILT_IN[0]) for _ in range(3)]
        assert list(verify(tx)) == []
        return [seen, *(address.ip for [address] in taken)]

    asked, ask = Reader.all, Transaction.ask_all
    found = application.storage.transact(organization.id, work)
    lowest = parse_address("10.0.0.1")
    assert found == [lowest, lowest, lowest + 1, lowest + 3]
