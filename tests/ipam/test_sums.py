"""The sums of a list's counters: as one sum for each subnet gives them, wherever a page ends."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example
from hypothesis import given as for_all
from hypothesis import strategies as st
from sqlalchemy import insert

from ipcraft.app import Application
from ipcraft.data.statements import Statement, given, own
from ipcraft.data.transactions import Transaction
from ipcraft.testing.organizations import Organization
from ipcraft_ipam import subnet_lists, subnets, usage
from ipcraft_ipam.networks import Network, enclosing, parse_network, to_bytes
from ipcraft_ipam.tables import subnet_usage
from ipcraft_ipam.usage import Extent

GLOBAL, OTHER = "", "vrf_b"
_u = subnet_usage.c
_SLOT = Statement(
    insert(subnet_usage).values(
        organization_id=own(),
        **{
            name: given(name, _u[name].type) for name in ("vrf_id", "first", "last", "slot", "used")
        },
    )
)
NETWORKS = (
    "10.0.0.0/8",
    "10.0.0.0/16",
    "10.0.0.0/24",
    "10.0.0.128/25",
    "10.0.0.255/32",
    "10.0.1.0/24",
    "10.1.0.0/16",
    "11.0.0.0/24",
    "fd00::/48",
    "fd00::/64",
    "fd00:0:0:1::/64",
)
"""Some begin at one address; some end at one."""

Placed = tuple[str, Network]
networks = st.builds(
    lambda place, length: enclosing(parse_network(f"{place}/32").first, length),
    st.sampled_from(["10.0.0.0", "10.0.0.1", "10.0.0.6", "10.0.0.15"]),
    st.integers(27, 32),
) | st.sampled_from([parse_network("fd00::/63"), parse_network("fd00::/64")])
placed = st.tuples(st.sampled_from([GLOBAL, OTHER]), networks)


def extent(place: Placed) -> Extent:
    """Give the VRF and the stored addresses of a network."""
    vrf_id, network = place
    return vrf_id, to_bytes(network.first), to_bytes(network.last)


def in_list_order(place: Placed) -> tuple[str, bytes, int]:
    """Order by VRF and address, the largest first."""
    vrf_id, network = place
    return vrf_id, to_bytes(network.first), network.prefix_length


@for_all(
    places=st.sets(placed),
    counted=st.lists(st.tuples(placed, st.integers(0, 300))),
)
@example(
    places={(GLOBAL, parse_network("10.0.0.0/30")), (GLOBAL, parse_network("10.0.0.1/32"))},
    counted=[
        ((GLOBAL, parse_network(text)), 1)
        for text in ("10.0.0.0/29", "10.0.0.0/30", "10.0.0.0/30", "10.0.0.0/31", "10.0.0.1/32")
    ],
)
def test_a_sum_is_of_the_counters_inside(
    places: set[Placed], counted: list[tuple[Placed, int]]
) -> None:
    """Those of other VRFs, of what contains it and of what lies beside it are left out."""
    ordered = sorted(places, key=in_list_order)
    counters = sorted((*extent(place), count) for place, count in counted)
    expected = [
        sum(
            count
            for (other_vrf_id, other), count in counted
            if other_vrf_id == vrf_id and network.span.covers(other.span)
        )
        for vrf_id, network in ordered
    ]
    assert list(usage.sums(map(extent, ordered), counters)) == expected


@pytest.fixture
def filled(application: Application, organization: Organization) -> Organization:
    """Make nested subnets in two VRFs, every second with three slots, and counters of their own."""
    post = organization.client.post
    vrf_id = post("/api/v1/vrfs", json={"name": "B"}).json["id"]
    bodies = [{"network": each, "vrf_id": vrf} for each in NETWORKS for vrf in (None, vrf_id)]
    assert post("/api/v1/subnets", json=bodies).status_code == 201

    def count(tx: Transaction) -> None:
        for number, text in enumerate(NETWORKS):
            for of_vrf, factor in ((GLOBAL, 1), (vrf_id, 1000)):
                vrf, first, last = extent((of_vrf, parse_network(text)))
                row: dict[str, Any] = {"vrf_id": vrf, "first": first, "last": last}
                for slot in range(3 if number % 2 else 1):
                    used = factor * (number + slot + 1)
                    tx.write_many(_SLOT, [row | {"slot": slot, "used": used}])

    application.storage.transact(organization.id, count)
    return organization


@pytest.mark.parametrize("size", [1, 2, 3, 5, 2 * len(NETWORKS), 100])
@pytest.mark.parametrize("one_vrf", [False, True], ids=["all", "one VRF"])
def test_a_list_has_the_sum_of_each_subnet(
    application: Application,
    filled: Organization,
    size: int,
    one_vrf: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Slots, descendants and counters of its own, whether its page holds all of them or not."""
    filters = {"vrf_id": GLOBAL} if one_vrf else {}
    with application.storage.read(filled.id) as tx:
        listed = list(subnet_lists.walk(tx, filters, size=size))
        assert len(listed) == len(NETWORKS) * (1 if one_vrf else 2)
        assert listed == [subnets.get_with_usage(tx, subnet.id) for subnet, _ in listed]
    assert {count.used > 0 for _, count in listed} == {True}


def test_nobody_has_no_sums(application: Application, organization: Organization) -> None:
    """A list of nothing ends at once."""
    with application.storage.read(organization.id) as tx:
        assert list(subnet_lists.walk(tx, {}, size=10)) == []
