"""The next free network of a size, compared with a search through every one there is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipcraft.app import Application
from ipcraft.data.statements import Statement
from ipcraft.data.transactions import Reader, Transaction
from ipcraft.testing.organizations import Organization
from ipcraft_ipam import addresses, bulk, free_networks, hierarchy, removal
from ipcraft_ipam.networks import Network, enclosing, parse_network
from ipcraft_ipam.verification import verify

ROOT = parse_network("10.0.0.0/26")


def test_the_lowest_free_network_is_found(
    application: Application, organization: Organization
) -> None:
    """Whatever is assigned, delegated and given back, and wherever the gateway is."""
    count = 40 if application.storage.name == "sqlite" else 10
    hosts = st.integers(ROOT.first + 1, ROOT.last - 1)
    children = st.builds(enclosing, st.integers(ROOT.first, ROOT.last), st.integers(29, 32))

    @settings(max_examples=count, deadline=None, database=None)
    @given(
        st.sets(hosts, max_size=12),
        st.lists(children, max_size=3, unique=True),
        st.none() | hosts,
        st.booleans(),
        st.data(),
    )
    def holds(
        taken: set[int],
        delegated: list[Network],
        gateway: int | None,
        is_pool: bool,  # noqa: FBT001 - drawn
        data: st.DataObject,
    ) -> None:
        released = data.draw(st.sets(st.sampled_from(sorted(taken)))) if taken else set()

        def work(tx: Transaction) -> None:
            root, _ = hierarchy.create(tx, ROOT, {"gateway": gateway, "is_pool": is_pool})
            for child in delegated:
                hierarchy.create(tx, child, {"is_pool": True})
            made = bulk.create_many(tx, root.id, [{"ip": ip} for ip in sorted(taken)])
            for address in made:
                if address.ip in released:
                    addresses.remove(tx, address.id)
            assert list(verify(tx)) == []
            used = (taken - released) | ({gateway} - {None})
            for prefix_length in range(27, 33):
                expected = lowest(prefix_length, used, delegated)
                assert free_networks.first_free(tx, root.id, prefix_length) == expected
            removal.remove(tx, root.id)

        application.storage.transact(organization.id, work)

    holds()


def lowest(prefix_length: int, used: set[Any], delegated: list[Network]) -> Network | None:
    """Look at every network of the size in turn."""
    for first in range(ROOT.first, ROOT.last + 1, 1 << (32 - prefix_length)):
        span = Network(first, prefix_length).span
        meets = any(span.intersection(child.span) for child in delegated)
        if not meets and not any(ip in span for ip in used):
            return Network(first, prefix_length)
    return None


@pytest.mark.parametrize("assigned", [20, 2_000])
def test_the_search_asks_as_often_in_a_fragmented_subnet(
    application: Application,
    organization: Organization,
    assigned: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However many gaps are too small, they are not looked at."""
    network = parse_network("10.0.0.0/16")

    def fragment(tx: Transaction) -> str:
        root, _ = hierarchy.create(tx, network, {})
        bulk.create_many(
            tx, root.id, [{"ip": network.first + 1 + 2 * number} for number in range(assigned)]
        )
        return root.id

    subnet_id = application.storage.transact(organization.id, fragment)
    asked: list[Statement[Any]] = []
    bind = Reader._bind

    def counting(reader: Reader, statement: Statement[Any], parameters: Any) -> Any:
        asked.append(statement)
        return bind(reader, statement, parameters)

    monkeypatch.setattr(Reader, "_bind", counting)
    with application.storage.read(organization.id) as tx:
        found = free_networks.first_free(tx, subnet_id, 28)
    assert found == enclosing(network.first + 2 * assigned + 15, 28)
    assert len(asked) <= 6
