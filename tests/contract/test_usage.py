"""Usable addresses and utilization."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .answers import found, gone, refused_field
from .inventory import (
    Resource,
    add_address,
    add_addresses,
    add_subnet,
    add_subnets,
    subnet_of,
    usage,
    used,
)

if TYPE_CHECKING:
    from ipcraft.testing.fixtures import Org

USABLE = (
    ("10.0.0.0/24", False, 254),
    ("10.0.0.0/29", False, 6),
    ("10.0.0.0/30", False, 2),
    ("10.0.0.0/31", False, 2),
    ("10.0.0.0/32", False, 1),
    ("10.0.0.0/16", False, 65_534),
    ("10.0.0.0/8", False, 16_777_214),
    ("0.0.0.0/0", False, 4_294_967_294),
    ("10.0.0.0/24", True, 256),
    ("10.0.0.0/30", True, 4),
    ("10.0.0.0/31", True, 2),
    ("10.0.0.0/32", True, 1),
    ("0.0.0.0/0", True, 4_294_967_296),
    ("2001:db8::/125", False, 7),
    ("2001:db8::/126", False, 3),
    ("2001:db8::/127", False, 2),
    ("2001:db8::/128", False, 1),
    ("2001:db8::/64", False, 2**64 - 1),
    ("2001:db8::/32", False, 2**96 - 1),
    ("::/0", False, 2**128 - 1),
    ("2001:db8::/126", True, 4),
    ("2001:db8::/127", True, 2),
    ("2001:db8::/128", True, 1),
    ("2001:db8::/64", True, 2**64),
    ("::/0", True, 2**128),
)


@pytest.mark.parametrize(("network", "is_pool", "total"), USABLE)
def test_total_counts_the_usable_addresses(
    org: Org, *, network: str, is_pool: bool, total: int
) -> None:
    """`total` is an exact integer, however large."""
    subnet = add_subnet(org, network, is_pool=is_pool)
    answer = usage(org, subnet)
    assert (answer["used"], answer["total"], answer["utilization"]) == (0, total, 0)
    assert type(answer["total"]) is int


def test_total_follows_is_pool(org: Org) -> None:
    """A subnet that becomes a pool gains its ends."""
    subnet = add_subnet(org, "10.0.0.0/24")
    found(org.patch(f"/api/v1/subnets/{subnet['id']}", json={"is_pool": True}))
    assert usage(org, subnet)["total"] == 256


ASSIGNABLE = (
    ("10.0.0.0/30", False, ["10.0.0.1", "10.0.0.2"]),
    ("10.0.0.0/31", False, ["10.0.0.0", "10.0.0.1"]),
    ("10.0.0.0/32", False, ["10.0.0.0"]),
    ("10.0.0.0/24", False, ["10.0.0.1", "10.0.0.254"]),
    ("10.0.0.0/30", True, ["10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3"]),
    ("10.0.0.0/24", True, ["10.0.0.0", "10.0.0.255"]),
    ("10.0.0.0/16", False, ["10.0.0.255", "10.0.1.0"]),
    ("2001:db8::/126", False, ["2001:db8::1", "2001:db8::2", "2001:db8::3"]),
    ("2001:db8::/127", False, ["2001:db8::", "2001:db8::1"]),
    ("2001:db8::/128", False, ["2001:db8::"]),
    ("2001:db8::/64", False, ["2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff"]),
    ("2001:db8::/126", True, ["2001:db8::", "2001:db8::3"]),
)


@pytest.mark.parametrize(("network", "is_pool", "usable"), ASSIGNABLE)
def test_usable_addresses_are_assigned(
    org: Org, *, network: str, is_pool: bool, usable: list[str]
) -> None:
    """Every usable address can be assigned."""
    subnet = add_subnet(org, network, is_pool=is_pool)
    assert [add_address(org, subnet, ip)["ip"] for ip in usable] == usable
    assert used(org, subnet) == len(usable)


UNASSIGNABLE = (
    ("10.0.0.0/30", "10.0.0.0"),
    ("10.0.0.0/30", "10.0.0.3"),
    ("10.0.0.0/24", "10.0.0.0"),
    ("10.0.0.0/24", "10.0.0.255"),
    ("10.0.0.0/8", "10.0.0.0"),
    ("10.0.0.0/8", "10.255.255.255"),
    ("2001:db8::/126", "2001:db8::"),
    ("2001:db8::/64", "2001:db8::"),
    ("::/0", "::"),
)


@pytest.mark.parametrize(("network", "ip"), UNASSIGNABLE)
def test_the_ends_of_a_subnet_cannot_be_assigned(org: Org, network: str, ip: str) -> None:
    """Network, broadcast and subnet-router anycast addresses are nobody's."""
    subnet = add_subnet(org, network)
    path = f"/api/v1/subnets/{subnet['id']}/addresses"
    refused_field(org.post(path, json={"ip": ip}), "ip")
    assert used(org, subnet) == 0


@pytest.mark.parametrize("ip", ["10.0.1.0", "10.0.1.255"])
def test_the_ends_of_a_child_cannot_be_assigned_through_its_parent(org: Org, ip: str) -> None:
    """The rule is that of the address's own subnet, wherever it is posted."""
    made = add_subnets(org, ["10.0.0.0/16", "10.0.1.0/24"])
    path = f"/api/v1/subnets/{made['10.0.0.0/16']['id']}/addresses"
    refused_field(org.post(path, json={"ip": ip}), "ip")


def utilizations(org: Org, subnet: Resource) -> list[float]:
    """Get the subnet's utilization from everywhere it is shown."""
    listed = {s["id"]: s for s in found(org.get("/api/v1/subnets"))}
    return [
        usage(org, subnet)["utilization"],
        subnet_of(org, subnet)["utilization"],
        listed[subnet["id"]]["utilization"],
    ]


@pytest.mark.parametrize(
    ("network", "count", "utilization"),
    [
        ("10.0.0.0/24", 0, 0.0),
        ("10.0.0.0/24", 1, 0.004),
        ("10.0.0.0/24", 42, 0.165),
        ("10.0.0.0/24", 127, 0.5),
        ("10.0.0.0/24", 253, 0.996),
        ("10.0.0.0/24", 254, 1.0),
        ("10.0.0.0/29", 1, 0.167),
        ("10.0.0.0/29", 2, 0.333),
        ("10.0.0.0/29", 4, 0.667),
        ("10.0.0.0/16", 32, 0.0),
        ("10.0.0.0/16", 33, 0.001),
        ("10.0.0.0/31", 1, 0.5),
        ("2001:db8::/64", 200, 0.0),
        ("2001:db8::/126", 1, 0.333),
    ],
)
def test_utilization_has_three_decimals(
    org: Org, network: str, count: int, utilization: float
) -> None:
    """Utilization is used / total, rounded to three decimals, alike in every answer."""
    subnet = add_subnet(org, network)
    if count:
        path = f"/api/v1/subnets/{subnet['id']}/first-free"
        assert org.post(path, json={"count": min(count, 256)}).status_code == 201
    assert utilizations(org, subnet) == [utilization] * 3


def test_a_container_counts_its_descendants(org: Org) -> None:
    """`used` of a container is all that is assigned inside its network."""
    made = add_subnets(org, ["10.0.0.0/22", "10.0.0.0/24", "10.0.0.0/26", "10.0.1.0/24"])
    add_addresses(org, made["10.0.0.0/26"], [f"10.0.0.{host}" for host in range(1, 11)])
    add_addresses(org, made["10.0.0.0/24"], ["10.0.0.100", "10.0.0.101"])
    add_addresses(org, made["10.0.0.0/22"], ["10.0.2.1"])
    assert [used(org, subnet) for subnet in made.values()] == [13, 12, 10, 0]
    assert utilizations(org, made["10.0.0.0/22"]) == [0.013] * 3


def test_used_falls_when_addresses_go(org: Org) -> None:
    """A deleted address counts no more, nor do those of a deleted child."""
    made = add_subnets(org, ["10.0.0.0/16", "10.0.1.0/24"])
    address = add_address(org, made["10.0.0.0/16"], "10.0.0.1")
    add_address(org, made["10.0.0.0/16"], "10.0.1.1")
    gone(org.delete(f"/api/v1/addresses/{address['id']}"))
    assert [used(org, subnet) for subnet in made.values()] == [1, 1]
    gone(org.delete(f"/api/v1/subnets/{made['10.0.1.0/24']['id']}"))
    assert used(org, made["10.0.0.0/16"]) == 0


def test_the_gateway_counts_only_with_a_record(org: Org) -> None:
    """A gateway is used once somebody assigned it."""
    subnet = add_subnet(org, "10.0.1.0/24", gateway="10.0.1.1")
    assert used(org, subnet) == 0
    add_address(org, subnet, "10.0.1.1", status="gateway")
    assert used(org, subnet) == 1
