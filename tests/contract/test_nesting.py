"""Nesting: parents, children and addresses find each other, in whatever order they come."""

from __future__ import annotations

from itertools import pairwise, permutations
from typing import TYPE_CHECKING

import pytest

from .answers import gone, refused, refused_field
from .inventory import (
    add_address,
    add_subnet,
    add_subnets,
    address_of,
    children,
    ips,
    networks,
    subnet_of,
    used,
)

if TYPE_CHECKING:
    from ipcraft.testing.fixtures import Org

CHAIN = ("10.0.0.0/8", "10.0.0.0/16", "10.0.1.0/24", "10.0.1.0/26")


@pytest.mark.parametrize("network", ["10.0.0.0/16", "0.0.0.0/0", "10.0.0.1/32", "2001:db8::/32"])
def test_an_equal_network_is_refused(org: Org, network: str) -> None:
    """A second subnet of the same network is refused in the reference's words."""
    add_subnet(org, network)
    body = refused_field(org.post("/api/v1/subnets", json={"network": network}), "network")
    assert body["error"] == f"Subnet overlaps with existing subnet {network}"
    assert networks(org) == [network]


def test_an_equal_network_in_another_spelling_is_refused(org: Org) -> None:
    """The same IPv6 network is the same however it is spelt."""
    add_subnet(org, "2001:db8::/32")
    body = refused(org.post("/api/v1/subnets", json={"network": "2001:0DB8:0:0::/32"}))
    assert body["error"] == "Subnet overlaps with existing subnet 2001:db8::/32"


def test_an_equal_network_is_refused_inside_a_hierarchy(org: Org) -> None:
    """A child's network is taken as well, also by way of the same first address."""
    add_subnets(org, CHAIN)
    for network in CHAIN:
        body = refused(org.post("/api/v1/subnets", json={"network": network}))
        assert body["error"] == f"Subnet overlaps with existing subnet {network}"


@pytest.mark.parametrize("order", list(permutations(CHAIN)))
def test_the_tree_does_not_depend_on_the_order(org: Org, order: tuple[str, ...]) -> None:
    """Each subnet goes under its smallest container, and takes over what lies inside it."""
    made = add_subnets(org, order)
    for parent, child in pairwise(CHAIN):
        assert children(org, made[parent]) == [child]
    assert children(org, made[CHAIN[-1]]) == []


def test_a_new_container_takes_only_what_lies_inside(org: Org) -> None:
    """A subnet put between parent and children leaves its neighbours where they are."""
    made = add_subnets(
        org, ["10.0.0.0/8", "10.0.1.0/24", "10.0.255.0/24", "10.1.0.0/24", "9.0.0.0/8"]
    )
    between = add_subnet(org, "10.0.0.0/16")
    assert children(org, between) == ["10.0.1.0/24", "10.0.255.0/24"]
    assert children(org, made["10.0.0.0/8"]) == ["10.0.0.0/16", "10.1.0.0/24"]
    assert children(org, made["9.0.0.0/8"]) == []


def test_grandchildren_stay_with_their_parents(org: Org) -> None:
    """Only the outermost of the subnets inside a new one become its children."""
    made = add_subnets(org, ["10.0.1.0/24", "10.0.1.0/26", "10.0.1.64/26"])
    outer = add_subnet(org, "10.0.0.0/16")
    assert children(org, outer) == ["10.0.1.0/24"]
    assert children(org, made["10.0.1.0/24"]) == ["10.0.1.0/26", "10.0.1.64/26"]


def test_children_are_in_order(org: Org) -> None:
    """Children are listed by address."""
    parent = add_subnet(org, "10.0.0.0/8")
    add_subnets(org, ["10.100.0.0/16", "10.9.0.0/16", "10.10.0.0/16"])
    assert children(org, parent) == ["10.9.0.0/16", "10.10.0.0/16", "10.100.0.0/16"]


def test_families_do_not_nest(org: Org) -> None:
    """No IPv4 network lies in an IPv6 one, whatever its bits."""
    made = add_subnets(org, ["0.0.0.0/0", "::/0", "10.0.0.0/8", "::/96", "::a00:0/104"])
    assert children(org, made["0.0.0.0/0"]) == ["10.0.0.0/8"]
    assert children(org, made["::/0"]) == ["::/96"]
    assert children(org, made["::/96"]) == ["::a00:0/104"]


def test_siblings_that_touch_do_not_nest(org: Org) -> None:
    """Networks side by side are disjoint."""
    made = add_subnets(org, ["10.0.0.0/25", "10.0.0.128/25"])
    assert [children(org, subnet) for subnet in made.values()] == [[], []]


def test_a_new_subnet_takes_the_addresses_inside(org: Org) -> None:
    """Addresses move to the smallest subnet as soon as there is one."""
    outer = add_subnet(org, "10.0.0.0/16")
    inside = add_address(org, outer, "10.0.1.10")
    first = add_address(org, outer, "10.0.1.1")
    last = add_address(org, outer, "10.0.1.254")
    below, above = add_address(org, outer, "10.0.0.255"), add_address(org, outer, "10.0.2.0")
    inner = add_subnet(org, "10.0.1.0/24")
    for address in (inside, first, last):
        assert address_of(org, address)["subnet_id"] == inner["id"]
    for address in (below, above):
        assert address_of(org, address)["subnet_id"] == outer["id"]
    assert used(org, inner) == 3
    assert used(org, outer) == 5


def test_a_container_between_takes_no_address_of_a_child(org: Org) -> None:
    """An address stays in the smallest subnet when a larger one is put around it."""
    made = add_subnets(org, ["10.0.0.0/8", "10.0.1.0/24"])
    address = add_address(org, made["10.0.1.0/24"], "10.0.1.10")
    between = add_subnet(org, "10.0.0.0/16")
    assert address_of(org, address)["subnet_id"] == made["10.0.1.0/24"]["id"]
    assert [used(org, s) for s in (*made.values(), between)] == [1, 1, 1]


@pytest.mark.parametrize("posted", ["10.0.0.0/8", "10.0.0.0/16", "10.0.1.0/24"])
def test_an_address_lives_in_the_smallest_subnet(org: Org, posted: str) -> None:
    """The home is the smallest subnet, also when the address was posted to a larger one."""
    made = add_subnets(org, ["10.0.0.0/8", "10.0.0.0/16", "10.0.1.0/24"])
    address = add_address(org, made[posted], "10.0.1.10")
    assert address["subnet_id"] == made["10.0.1.0/24"]["id"]
    assert address_of(org, address)["subnet_id"] == made["10.0.1.0/24"]["id"]


def test_a_subnet_lists_the_addresses_of_its_descendants(org: Org) -> None:
    """In a subnet means: inside its network; each address carries its own subnet."""
    made = add_subnets(org, ["10.0.0.0/8", "10.0.0.0/16", "10.0.1.0/24"])
    top = made["10.0.0.0/8"]
    for ip in ("10.0.1.10", "10.9.0.1", "10.0.9.1"):
        add_address(org, top, ip)
    listed = org.get(f"/api/v1/subnets/{top['id']}/addresses").json()
    assert [(a["ip"], a["subnet_id"]) for a in listed] == [
        ("10.0.1.10", made["10.0.1.0/24"]["id"]),
        ("10.0.9.1", made["10.0.0.0/16"]["id"]),
        ("10.9.0.1", made["10.0.0.0/8"]["id"]),
    ]
    assert ips(org, made["10.0.0.0/16"]) == ["10.0.1.10", "10.0.9.1"]
    assert ips(org, made["10.0.1.0/24"]) == ["10.0.1.10"]


def test_a_deleted_leaf_leaves_its_parent(org: Org) -> None:
    """Deleting a child leaves the parent, its other children and its own addresses."""
    made = add_subnets(org, ["10.0.0.0/16", "10.0.1.0/24", "10.0.2.0/24"])
    own = add_address(org, made["10.0.0.0/16"], "10.0.3.1")
    add_address(org, made["10.0.1.0/24"], "10.0.1.10")
    gone(org.delete(f"/api/v1/subnets/{made['10.0.1.0/24']['id']}"))
    assert children(org, made["10.0.0.0/16"]) == ["10.0.2.0/24"]
    assert ips(org, made["10.0.0.0/16"]) == [own["ip"]]
    assert used(org, made["10.0.0.0/16"]) == 1
    assert subnet_of(org, made["10.0.2.0/24"])["network"] == "10.0.2.0/24"
