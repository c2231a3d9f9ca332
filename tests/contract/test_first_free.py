"""The next address: shown by GET, taken by POST."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import pytest

from .answers import created, gone, refused_field
from .inventory import (
    Resource,
    add_address,
    add_addresses,
    add_subnet,
    add_subnets,
    address_of,
    first_free,
    ips,
    used,
)

if TYPE_CHECKING:
    from ipcraft.testing.fixtures import Org


def take(org: Org, subnet: Resource, **fields: object) -> Resource:
    """Take the next address."""
    made: Resource = created(org.post(f"/api/v1/subnets/{subnet['id']}/first-free", json=fields))
    return made


def take_many(org: Org, subnet: Resource, count: int, **fields: object) -> list[Resource]:
    """Take some addresses in one request."""
    path = f"/api/v1/subnets/{subnet['id']}/first-free"
    made: list[Resource] = created(org.post(path, json={"count": count, **fields}))
    return made


FIRST: tuple[tuple[str, dict[str, Any], str | None], ...] = (
    ("10.0.1.0/24", {}, "10.0.1.1"),
    ("10.0.1.0/24", {"gateway": "10.0.1.1"}, "10.0.1.2"),
    ("10.0.1.0/24", {"gateway": "10.0.1.254"}, "10.0.1.1"),
    ("10.0.1.0/24", {"is_pool": True}, "10.0.1.0"),
    ("10.0.1.0/24", {"is_pool": True, "gateway": "10.0.1.0"}, "10.0.1.1"),
    ("10.0.1.0/30", {}, "10.0.1.1"),
    ("10.0.1.0/31", {}, "10.0.1.0"),
    ("10.0.1.0/31", {"gateway": "10.0.1.0"}, "10.0.1.1"),
    ("10.0.1.0/32", {}, "10.0.1.0"),
    ("10.0.1.0/32", {"gateway": "10.0.1.0"}, None),
    ("10.0.0.0/8", {}, "10.0.0.1"),
    ("0.0.0.0/0", {}, "0.0.0.1"),
    ("2001:db8::/64", {}, "2001:db8::1"),
    ("2001:db8::/64", {"gateway": "2001:db8::1"}, "2001:db8::2"),
    ("2001:db8::/64", {"is_pool": True}, "2001:db8::"),
    ("2001:db8::/126", {}, "2001:db8::1"),
    ("2001:db8::/127", {}, "2001:db8::"),
    ("2001:db8::/128", {}, "2001:db8::"),
    ("::/0", {}, "::1"),
)


@pytest.mark.parametrize(("network", "fields", "expected"), FIRST)
def test_the_first_address_of_an_empty_subnet(
    org: Org, network: str, fields: dict[str, Any], expected: str | None
) -> None:
    """The first free address is the lowest usable one that is not the gateway."""
    assert first_free(org, add_subnet(org, network, **fields)) == expected


@pytest.mark.parametrize(("network", "fields", "expected"), FIRST)
def test_what_is_shown_is_what_is_taken(
    org: Org, network: str, fields: dict[str, Any], expected: str | None
) -> None:
    """POST takes the address that GET shows."""
    subnet = add_subnet(org, network, **fields)
    response = org.post(f"/api/v1/subnets/{subnet['id']}/first-free", json={})
    if expected is None:
        assert response.json()["code"] == "subnet_full"
    else:
        assert created(response)["ip"] == expected


def test_the_lowest_hole_comes_first(org: Org) -> None:
    """A gap below others is filled first."""
    subnet = add_subnet(org, "10.0.1.0/24")
    add_addresses(org, subnet, ["10.0.1.1", "10.0.1.2", "10.0.1.4", "10.0.1.200"])
    assert [take(org, subnet)["ip"] for _ in range(3)] == ["10.0.1.3", "10.0.1.5", "10.0.1.6"]


def test_a_released_address_is_free_at_once(org: Org) -> None:
    """What is deleted comes first again, the lowest before the others."""
    subnet = add_subnet(org, "10.0.1.0/24")
    made = [take(org, subnet) for _ in range(6)]
    for address in (made[3], made[1]):
        gone(org.delete(f"/api/v1/addresses/{address['id']}"))
    expected = ["10.0.1.2", "10.0.1.4", "10.0.1.7"]
    assert [take(org, subnet)["ip"] for _ in range(3)] == expected


@pytest.mark.parametrize("status", ["active", "assigned", "reserved", "dhcp", "deprecated"])
def test_an_address_of_any_status_is_not_free(org: Org, status: str) -> None:
    """Every record counts as used."""
    subnet = add_subnet(org, "10.0.1.0/24")
    add_address(org, subnet, "10.0.1.1", status=status)
    assert first_free(org, subnet) == "10.0.1.2"


def test_space_of_children_is_delegated(org: Org) -> None:
    """Nothing inside a child is free in its parent, even if the child is empty."""
    made = add_subnets(org, ["10.0.0.0/22", "10.0.0.0/24", "10.0.1.0/24"])
    assert first_free(org, made["10.0.0.0/22"]) == "10.0.2.0"
    assert first_free(org, made["10.0.1.0/24"]) == "10.0.1.1"
    assert take(org, made["10.0.0.0/22"])["subnet_id"] == made["10.0.0.0/22"]["id"]


def test_space_between_children_is_free(org: Org) -> None:
    """The parent hands out what its children leave."""
    made = add_subnets(org, ["10.0.0.0/29", "10.0.0.0/31", "10.0.0.4/31"])
    parent = made["10.0.0.0/29"]
    taken = [address["ip"] for address in take_many(org, parent, 3)]
    assert taken == ["10.0.0.2", "10.0.0.3", "10.0.0.6"]
    assert first_free(org, parent) is None


def test_a_wholly_delegated_subnet_is_full(org: Org) -> None:
    """A parent whose children cover it has nothing of its own."""
    made = add_subnets(org, ["10.0.0.0/24", "10.0.0.0/25", "10.0.0.128/25"])
    assert first_free(org, made["10.0.0.0/24"]) is None
    path = f"/api/v1/subnets/{made['10.0.0.0/24']['id']}/first-free"
    assert org.post(path, json={}).json()["code"] == "subnet_full"


def test_space_of_a_deleted_child_is_free_again(org: Org) -> None:
    """The parent gets back what it had delegated, addresses of the child included."""
    made = add_subnets(org, ["10.0.0.0/24", "10.0.0.0/25"])
    add_address(org, made["10.0.0.0/25"], "10.0.0.1")
    assert first_free(org, made["10.0.0.0/24"]) == "10.0.0.128"
    gone(org.delete(f"/api/v1/subnets/{made['10.0.0.0/25']['id']}"))
    assert first_free(org, made["10.0.0.0/24"]) == "10.0.0.1"


def test_a_new_child_delegates_its_space_at_once(org: Org) -> None:
    """What was free in the parent is free in the new child only."""
    parent = add_subnet(org, "10.0.0.0/24")
    assert take(org, parent)["ip"] == "10.0.0.1"
    child = add_subnet(org, "10.0.0.0/25")
    assert first_free(org, parent) == "10.0.0.128"
    assert first_free(org, child) == "10.0.0.2"


def test_a_new_gateway_is_handed_out_no_more(org: Org) -> None:
    """Setting a gateway takes it out of the free addresses, clearing it puts it back."""
    subnet = add_subnet(org, "10.0.1.0/24")
    path = f"/api/v1/subnets/{subnet['id']}"
    assert org.patch(path, json={"gateway": "10.0.1.1"}).status_code == 200
    assert first_free(org, subnet) == "10.0.1.2"
    assert org.patch(path, json={"gateway": None}).status_code == 200
    assert first_free(org, subnet) == "10.0.1.1"


def test_a_new_pool_hands_out_its_ends(org: Org) -> None:
    """A subnet that becomes a pool has its network address free."""
    subnet = add_subnet(org, "10.0.1.0/24")
    assert take(org, subnet)["ip"] == "10.0.1.1"
    path = f"/api/v1/subnets/{subnet['id']}"
    assert org.patch(path, json={"is_pool": True}).status_code == 200
    assert first_free(org, subnet) == "10.0.1.0"


def test_the_gateway_is_left_when_all_else_is_taken(org: Org) -> None:
    """A subnet in which only the gateway has no record is full."""
    subnet = add_subnet(org, "10.0.1.0/30", gateway="10.0.1.2")
    assert take(org, subnet)["ip"] == "10.0.1.1"
    assert first_free(org, subnet) is None


def test_a_taken_address_is_answered_like_a_created_one(org: Org) -> None:
    """The body is that of create-address without the ip; the answer is the address."""
    subnet = add_subnet(org, "10.0.1.0/24")
    fields = {
        "hostname": "web-01.prod",
        "mac_address": "001a.2b3c.4d5e",
        "description": "Primary web server",
        "status": "reserved",
        "owner": "platform-team",
    }
    address = take(org, subnet, **fields)
    assert address["ip"] == "10.0.1.1"
    assert address["subnet_id"] == subnet["id"]
    expected = {**fields, "mac_address": "00:1A:2B:3C:4D:5E"}
    assert {name: address[name] for name in fields} == expected
    assert address_of(org, address) == address


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ip", "10.0.1.10"),
        ("status", "free"),
        ("mac_address", "nonsense"),
        ("count", 0),
        ("count", 257),
        ("count", -1),
        ("count", 1.5),
        ("count", "2"),
        ("count", True),
        ("count", [2]),
        ("strategy", "lowest"),
        ("strategy", ""),
        ("strategy", 1),
    ],
)
def test_a_bad_field_takes_nothing(org: Org, field: str, value: object) -> None:
    """A body that breaks a rule is a 400 about the field, and no address is taken."""
    subnet = add_subnet(org, "10.0.1.0/24")
    path = f"/api/v1/subnets/{subnet['id']}/first-free"
    refused_field(org.post(path, json={field: value}), field)
    assert used(org, subnet) == 0


def test_a_full_subnet_says_so(org: Org) -> None:
    """Taking from a full subnet is a 400 with the code `subnet_full`."""
    subnet = add_subnet(org, "10.0.1.0/30")
    assert [address["ip"] for address in take_many(org, subnet, 2)] == ["10.0.1.1", "10.0.1.2"]
    response = org.post(f"/api/v1/subnets/{subnet['id']}/first-free", json={})
    assert (response.status_code, response.json()["code"]) == (400, "subnet_full")


@pytest.mark.parametrize("count", [1, 2, 256])
def test_count_takes_so_many(org: Org, count: int) -> None:
    """With `count` the answer is a list, of one as of many, in rising order."""
    subnet = add_subnet(org, "10.0.0.0/16")
    taken = [int(ip_address(address["ip"])) for address in take_many(org, subnet, count)]
    lowest = int(ip_address("10.0.0.1"))
    assert taken == list(range(lowest, lowest + count))
    assert used(org, subnet) == count


def test_each_of_many_has_the_fields_given(org: Org) -> None:
    """Every address of a `count` carries the same fields and an id of its own."""
    taken = take_many(org, add_subnet(org, "10.0.1.0/24"), 3, owner="dba", status="dhcp")
    assert {(address["owner"], address["status"]) for address in taken} == {("dba", "dhcp")}
    assert len({address["id"] for address in taken}) == 3


@pytest.mark.parametrize("strategy", ["first", "last", "random"])
def test_many_are_all_or_nothing(org: Org, strategy: str) -> None:
    """When fewer are free than asked for, none is taken."""
    subnet = add_subnet(org, "10.0.1.0/29", gateway="10.0.1.1")
    body = {"count": 6, "strategy": strategy}
    response = org.post(f"/api/v1/subnets/{subnet['id']}/first-free", json=body)
    assert (response.status_code, response.json()["code"]) == (400, "subnet_full")
    assert used(org, subnet) == 0
    assert len(take_many(org, subnet, 5, strategy=strategy)) == 5


LAST: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("10.0.1.0/24", {}, "10.0.1.254"),
    ("10.0.1.0/24", {"gateway": "10.0.1.254"}, "10.0.1.253"),
    ("10.0.1.0/24", {"is_pool": True}, "10.0.1.255"),
    ("10.0.1.0/31", {}, "10.0.1.1"),
    ("10.0.1.0/32", {}, "10.0.1.0"),
    ("10.0.0.0/8", {}, "10.255.255.254"),
    ("2001:db8::/64", {}, "2001:db8::ffff:ffff:ffff:ffff"),
    ("2001:db8::/126", {}, "2001:db8::3"),
)


@pytest.mark.parametrize(("network", "fields", "expected"), LAST)
def test_last_takes_the_highest(
    org: Org, network: str, fields: dict[str, Any], expected: str
) -> None:
    """The strategy `last` takes the highest free address."""
    subnet = add_subnet(org, network, **fields)
    assert take(org, subnet, strategy="last")["ip"] == expected


def test_last_goes_down(org: Org) -> None:
    """One after the other, `last` takes what is highest then, around children and addresses."""
    subnet = add_subnet(org, "10.0.1.0/24")
    add_subnet(org, "10.0.1.192/26")
    add_address(org, subnet, "10.0.1.190")
    taken = [take(org, subnet, strategy="last")["ip"] for _ in range(3)]
    assert taken == ["10.0.1.191", "10.0.1.189", "10.0.1.188"]


def test_last_takes_many(org: Org) -> None:
    """With `count`, `last` takes the highest ones."""
    taken = take_many(org, add_subnet(org, "10.0.1.0/24"), 3, strategy="last")
    assert {address["ip"] for address in taken} == {"10.0.1.254", "10.0.1.253", "10.0.1.252"}


def test_first_is_the_default(org: Org) -> None:
    """The strategy `first` does what no strategy does."""
    subnet = add_subnet(org, "10.0.1.0/24")
    taken = [take(org, subnet, strategy="first")["ip"], take(org, subnet)["ip"]]
    assert taken == ["10.0.1.1", "10.0.1.2"]


def test_random_takes_each_address_once(org: Org) -> None:
    """The strategy `random` takes every usable address in the end, and no other."""
    subnet = add_subnet(org, "10.0.1.0/28", gateway="10.0.1.1")
    taken = [take(org, subnet, strategy="random")["ip"] for _ in range(13)]
    assert sorted(taken, key=lambda ip: int(ip_address(ip))) == [
        f"10.0.1.{host}" for host in range(2, 15)
    ]
    path = f"/api/v1/subnets/{subnet['id']}/first-free"
    assert org.post(path, json={"strategy": "random"}).json()["code"] == "subnet_full"


def test_random_is_not_first(org: Org) -> None:
    """Eight random addresses of a /8 are not the lowest eight, nor the highest."""
    taken = take_many(org, add_subnet(org, "10.0.0.0/8"), 8, strategy="random")
    addresses = {address["ip"] for address in taken}
    assert len(addresses) == 8
    assert addresses != {f"10.0.0.{host}" for host in range(1, 9)}
    assert addresses != {f"10.255.255.{host}" for host in range(247, 255)}


def test_random_leaves_children_alone(org: Org) -> None:
    """`random` too takes nothing that is delegated."""
    made = add_subnets(org, ["10.0.1.0/28", "10.0.1.0/29"])
    taken = take_many(org, made["10.0.1.0/28"], 7, strategy="random")
    assert {address["ip"] for address in taken} == {f"10.0.1.{host}" for host in range(8, 15)}
    assert ips(org, made["10.0.1.0/29"]) == []


def test_strategies_share_one_truth(org: Org) -> None:
    """No strategy takes what another has taken."""
    subnet = add_subnet(org, "10.0.1.0/28")
    strategies = ["first", "last", "random", "first", "last", "random", "first"] * 2
    taken = [take(org, subnet, strategy=strategy)["ip"] for strategy in strategies]
    assert len(set(taken)) == 14
    assert first_free(org, subnet) is None
