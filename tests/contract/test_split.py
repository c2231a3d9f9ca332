"""Splitting a subnet into equal parts."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest

from .answers import created, refused, refused_field
from .inventory import (
    Resource,
    add_address,
    add_addresses,
    add_subnet,
    add_subnets,
    address_of,
    children,
    first_free,
    ips,
    networks,
    subnet_of,
    used,
)

if TYPE_CHECKING:
    from ipcraft.testing.fixtures import Org


def split(org: Org, subnet: Resource, parts: int) -> list[Resource]:
    """Split the subnet."""
    made: list[Resource] = created(
        org.post(f"/api/v1/subnets/{subnet['id']}/split", json={"parts": parts})
    )
    return made


def state(org: Org) -> tuple[object, object]:
    """Get all subnets and all addresses."""
    return org.get("/api/v1/subnets").json(), org.get("/api/v1/addresses").json()


@pytest.mark.parametrize(
    ("network", "parts"),
    [
        ("10.0.0.0/24", 2),
        ("10.0.0.0/24", 16),
        ("10.0.0.0/24", 256),
        ("10.0.0.0/31", 2),
        ("10.0.0.0/30", 4),
        ("0.0.0.0/0", 2),
        ("2001:db8::/32", 8),
        ("2001:db8::/127", 2),
        ("::/0", 4),
    ],
)
def test_the_parts_are_the_subnets_of_one_size(org: Org, network: str, parts: int) -> None:
    """A split gives all networks of the new length, in order, as children."""
    subnet = add_subnet(org, network)
    added = parts.bit_length() - 1
    expected = [str(part) for part in ip_network(network).subnets(prefixlen_diff=added)]
    assert [part["network"] for part in split(org, subnet, parts)] == expected
    assert children(org, subnet) == expected


def test_the_subnet_stays_as_the_parent(org: Org) -> None:
    """The split subnet keeps its id, its fields and its place."""
    outer = add_subnet(org, "10.0.0.0/16")
    subnet = add_subnet(org, "10.0.1.0/24", name="Web servers", description="Web tier")
    split(org, subnet, 2)
    after = subnet_of(org, subnet)
    assert (after["name"], after["description"]) == ("Web servers", "Web tier")
    assert children(org, outer) == ["10.0.1.0/24"]


def test_the_addresses_move_into_the_parts(org: Org) -> None:
    """Each address lives in the part that contains it; the subnet still counts all."""
    subnet = add_subnet(org, "10.0.1.0/24")
    addresses = add_addresses(org, subnet, ["10.0.1.1", "10.0.1.62", "10.0.1.65", "10.0.1.254"])
    parts = split(org, subnet, 4)
    homes = [address_of(org, address)["subnet_id"] for address in addresses]
    assert homes == [parts[0]["id"], parts[0]["id"], parts[1]["id"], parts[3]["id"]]
    assert [used(org, part) for part in parts] == [2, 1, 0, 1]
    assert used(org, subnet) == 4
    assert len(ips(org, subnet)) == 4


def test_the_parts_hand_out_what_was_free(org: Org) -> None:
    """After a split the parts have the free addresses, the subnet has none."""
    subnet = add_subnet(org, "10.0.1.0/24")
    add_address(org, subnet, "10.0.1.1")
    parts = split(org, subnet, 2)
    assert first_free(org, subnet) is None
    assert [first_free(org, part) for part in parts] == ["10.0.1.2", "10.0.1.129"]


def test_smaller_children_go_under_the_parts(org: Org) -> None:
    """An existing child that fits into a part becomes the part's child, with its addresses."""
    made = add_subnets(org, ["10.0.1.0/24", "10.0.1.16/28", "10.0.1.192/27"])
    address = add_address(org, made["10.0.1.16/28"], "10.0.1.17")
    parts = split(org, made["10.0.1.0/24"], 4)
    assert [children(org, part) for part in parts] == [["10.0.1.16/28"], [], [], ["10.0.1.192/27"]]
    assert children(org, made["10.0.1.0/24"]) == [part["network"] for part in parts]
    assert address_of(org, address)["subnet_id"] == made["10.0.1.16/28"]["id"]


def test_a_part_can_be_split_again(org: Org) -> None:
    """Parts are subnets like any other."""
    parts = split(org, add_subnet(org, "10.0.0.0/16"), 2)
    again = split(org, parts[1], 2)
    assert [part["network"] for part in again] == ["10.0.128.0/18", "10.0.192.0/18"]


@pytest.mark.parametrize(
    "parts", [0, 1, 3, 5, 6, 7, 100, 255, -2, -4, 2.5, "4", "four", True, None, [4], 2**200 + 1]
)
def test_parts_that_are_no_power_of_two_are_refused(org: Org, parts: object) -> None:
    """`parts` is 2, 4, 8 and so on; nothing changes otherwise."""
    subnet = add_subnet(org, "10.0.0.0/24")
    path = f"/api/v1/subnets/{subnet['id']}/split"
    refused_field(org.post(path, json={"parts": parts}), "parts")
    assert networks(org) == ["10.0.0.0/24"]


@pytest.mark.parametrize(
    ("network", "parts"),
    [
        ("10.0.0.0/24", 512),
        ("10.0.0.0/30", 8),
        ("10.0.0.0/31", 4),
        ("10.0.0.0/32", 2),
        ("2001:db8::/127", 4),
        ("2001:db8::/128", 2),
        ("10.0.0.0/8", 2**25),
        ("10.0.0.0/8", 2**200),
    ],
)
def test_more_parts_than_addresses_are_refused(org: Org, network: str, parts: int) -> None:
    """A split must fit; nothing changes otherwise."""
    subnet = add_subnet(org, network)
    refused_field(org.post(f"/api/v1/subnets/{subnet['id']}/split", json={"parts": parts}), "parts")
    assert networks(org) == [network]


@pytest.mark.parametrize(
    ("child", "parts"),
    [
        ("10.0.1.0/26", 4),
        ("10.0.1.192/26", 4),
        ("10.0.1.0/25", 4),
        ("10.0.1.128/25", 8),
        ("10.0.1.128/25", 2),
    ],
)
def test_a_child_in_the_way_is_refused(org: Org, child: str, parts: int) -> None:
    """A child that equals or contains a part stops the split; nothing changes then."""
    subnet = add_subnet(org, "10.0.1.0/24")
    add_address(org, subnet, "10.0.1.10")
    add_subnet(org, child)
    before = state(org)
    body = refused(org.post(f"/api/v1/subnets/{subnet['id']}/split", json={"parts": parts}))
    assert child in body["error"]
    assert state(org) == before


@pytest.mark.parametrize(
    ("network", "ip", "parts"),
    [
        ("10.0.1.0/24", "10.0.1.127", 2),
        ("10.0.1.0/24", "10.0.1.128", 2),
        ("10.0.1.0/24", "10.0.1.63", 4),
        ("10.0.1.0/24", "10.0.1.192", 4),
        ("10.0.1.0/29", "10.0.1.3", 2),
        ("10.0.1.0/29", "10.0.1.4", 2),
        ("2001:db8::/64", "2001:db8:0:0:8000::", 2),
    ],
)
def test_an_address_at_the_end_of_a_part_is_refused(
    org: Org, network: str, ip: str, parts: int
) -> None:
    """No address may become a part's network or broadcast address; nothing changes then."""
    subnet = add_subnet(org, network)
    add_address(org, subnet, ip)
    before = state(org)
    body = refused(org.post(f"/api/v1/subnets/{subnet['id']}/split", json={"parts": parts}))
    assert ip in body["error"]
    assert state(org) == before


@pytest.mark.parametrize(
    ("network", "used_ips", "parts"),
    [
        ("10.0.1.0/30", ["10.0.1.1", "10.0.1.2"], 2),
        ("10.0.1.0/30", ["10.0.1.1", "10.0.1.2"], 4),
        ("10.0.1.0/29", ["10.0.1.3", "10.0.1.4"], 4),
        ("2001:db8::/64", ["2001:db8::7fff:ffff:ffff:ffff"], 2),
        ("2001:db8::/126", ["2001:db8::1", "2001:db8::2"], 2),
    ],
)
def test_addresses_usable_in_their_parts_are_no_obstacle(
    org: Org, network: str, used_ips: list[str], parts: int
) -> None:
    """Parts of one or two addresses, and the last address of an IPv6 part, are usable."""
    subnet = add_subnet(org, network)
    add_addresses(org, subnet, used_ips)
    split(org, subnet, parts)
    assert ips(org, subnet) == used_ips
    assert used(org, subnet) == len(used_ips)


def test_an_address_at_the_end_of_a_child_in_a_part_is_no_obstacle(org: Org) -> None:
    """An address that stays in a smaller child does not meet the ends of the part."""
    subnet = add_subnet(org, "10.0.1.0/24")
    child = add_subnet(org, "10.0.1.126/31")
    address = add_address(org, child, "10.0.1.127")
    split(org, subnet, 2)
    assert address_of(org, address)["subnet_id"] == child["id"]
