"""Addresses: where they may be, what they carry, how they are found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .answers import found, gone, refused, refused_field
from .inventory import add_address, add_addresses, add_subnet, add_subnets, address_of, ips, used

if TYPE_CHECKING:
    from ipcraft.testing.fixtures import Org

STATUSES = ("active", "assigned", "reserved", "dhcp", "gateway", "deprecated", "offline")
MAC = "00:1A:2B:3C:4D:5E"
OPTIONAL = {
    "hostname": "web-01.prod",
    "mac_address": MAC,
    "description": "Primary web server",
    "owner": "platform-team",
}


@pytest.mark.parametrize(
    ("network", "ip"),
    [
        ("10.0.1.0/24", "10.0.2.0"),
        ("10.0.1.0/24", "10.0.0.255"),
        ("10.0.1.0/24", "11.0.1.10"),
        ("10.0.1.0/24", "2001:db8::1"),
        ("2001:db8::/64", "2001:db8:0:1::1"),
        ("2001:db8::/64", "10.0.1.10"),
        ("::/0", "10.0.1.10"),
        ("0.0.0.0/0", "::1"),
    ],
)
def test_an_address_outside_is_refused(org: Org, network: str, ip: str) -> None:
    """An address must lie inside the subnet it is posted to."""
    subnet = add_subnet(org, network)
    path = f"/api/v1/subnets/{subnet['id']}/addresses"
    refused_field(org.post(path, json={"ip": ip}), "ip")
    assert ips(org, subnet) == []


def test_an_address_of_the_parent_is_outside_of_the_child(org: Org) -> None:
    """What is posted to a child must lie in the child, not only in its parent."""
    made = add_subnets(org, ["10.0.0.0/16", "10.0.1.0/24"])
    path = f"/api/v1/subnets/{made['10.0.1.0/24']['id']}/addresses"
    refused_field(org.post(path, json={"ip": "10.0.2.1"}), "ip")


@pytest.mark.parametrize(
    "ip",
    [
        "",
        "web-01",
        "10.0.1",
        "10.0.1.10/24",
        "10.0.1.10/32",
        "10.0.1.010",
        "10.0.1.256",
        "10.0.1.10.1",
        "0x0a.0.1.10",
        "167772426",
        "10.0.1.-1",
        "10.0.1.\u0661",
        "::ffff:10.0.1.10",
        "fe80::1%eth0",
    ],
)
def test_what_is_no_address_is_refused(org: Org, ip: str) -> None:
    """Text that is no address of the subnet's family is a 400 about the field."""
    subnet = add_subnet(org, "10.0.1.0/24")
    path = f"/api/v1/subnets/{subnet['id']}/addresses"
    refused_field(org.post(path, json={"ip": ip}), "ip")


def test_an_ipv6_address_is_kept_in_its_short_form(org: Org) -> None:
    """However it is spelt, an address comes back as RFC 5952 writes it."""
    subnet = add_subnet(org, "2001:db8::/64")
    made = add_address(org, subnet, "2001:0DB8:0000:0000:0000:0000:0000:00AB")
    assert made["ip"] == "2001:db8::ab"


def test_a_second_use_is_refused_naming_the_first(org: Org) -> None:
    """An address is unique, and the sentence says which record has it."""
    subnet = add_subnet(org, "10.0.1.0/24")
    first = add_address(org, subnet, "10.0.1.10", hostname="web-01.prod")
    path = f"/api/v1/subnets/{subnet['id']}/addresses"
    body = refused_field(org.post(path, json={"ip": "10.0.1.10"}), "ip")
    assert first["id"] in body["error"] or "web-01.prod" in body["error"]
    assert used(org, subnet) == 1


@pytest.mark.parametrize(
    ("first", "second"), [("10.0.0.0/16", "10.0.1.0/24"), ("10.0.1.0/24", "10.0.0.0/16")]
)
def test_a_second_use_is_refused_through_any_subnet(org: Org, first: str, second: str) -> None:
    """Parent and child share their addresses."""
    made = add_subnets(org, ["10.0.0.0/16", "10.0.1.0/24"])
    add_address(org, made[first], "10.0.1.10")
    path = f"/api/v1/subnets/{made[second]['id']}/addresses"
    refused_field(org.post(path, json={"ip": "10.0.1.10"}), "ip")


def test_a_second_use_in_another_spelling_is_refused(org: Org) -> None:
    """The same IPv6 address is the same however it is spelt."""
    subnet = add_subnet(org, "2001:db8::/64")
    add_address(org, subnet, "2001:db8::ab")
    path = f"/api/v1/subnets/{subnet['id']}/addresses"
    refused_field(org.post(path, json={"ip": "2001:DB8:0::0:AB"}), "ip")


def test_a_deleted_address_can_be_assigned_again(org: Org) -> None:
    """An address is free as soon as its record is gone."""
    subnet = add_subnet(org, "10.0.1.0/24")
    first = add_address(org, subnet, "10.0.1.10")
    path = f"/api/v1/addresses/{first['id']}"
    gone(org.delete(path))
    refused(org.delete(path), 404)
    second = add_address(org, subnet, "10.0.1.10")
    assert second["id"] != first["id"]
    assert used(org, subnet) == 1


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_is_kept_and_counts(org: Org, status: str) -> None:
    """Seven statuses are known; an address of any of them is used."""
    subnet = add_subnet(org, "10.0.1.0/24")
    assert add_address(org, subnet, "10.0.1.10", status=status)["status"] == status
    assert used(org, subnet) == 1


@pytest.mark.parametrize("status", ["", "Active", "free", "available", None, 1, ["active"]])
def test_an_unknown_status_is_refused(org: Org, status: object) -> None:
    """Anything else is a 400 about the field."""
    subnet = add_subnet(org, "10.0.1.0/24")
    path = f"/api/v1/subnets/{subnet['id']}/addresses"
    refused_field(org.post(path, json={"ip": "10.0.1.10", "status": status}), "status")


@pytest.mark.parametrize(
    "given",
    [
        "00:1a:2b:3c:4d:5e",
        "00:1A:2B:3C:4D:5E",
        "00-1A-2B-3C-4D-5E",
        "00-1a-2b-3c-4d-5e",
        "001a.2b3c.4d5e",
        "001A.2B3C.4D5E",
        "001A2B3C4D5E",
        "001a2b3c4d5e",
    ],
)
def test_a_mac_address_is_kept_in_one_notation(org: Org, given: str) -> None:
    """Every notation is read; one is answered."""
    subnet = add_subnet(org, "10.0.1.0/24")
    address = add_address(org, subnet, "10.0.1.10", mac_address=given)
    assert address["mac_address"] == MAC
    assert address_of(org, address)["mac_address"] == MAC


@pytest.mark.parametrize(
    "given",
    [
        "",
        "00:1A:2B:3C:4D",
        "00:1A:2B:3C:4D:5E:6F",
        "00:1A:2B:3C:4D:5G",
        "001A2B3C4D5",
        "001A2B3C4D5E6",
        "web-01",
        "00:1A:2B:3C:4D:\u0665E",
    ],
)
def test_what_is_no_mac_address_is_refused(org: Org, given: str) -> None:
    """Text that is no MAC address is a 400 about the field, on POST and on PATCH."""
    subnet = add_subnet(org, "10.0.1.0/24")
    path = f"/api/v1/subnets/{subnet['id']}/addresses"
    refused_field(org.post(path, json={"ip": "10.0.1.10", "mac_address": given}), "mac_address")
    address = add_address(org, subnet, "10.0.1.10")
    answer = org.patch(f"/api/v1/addresses/{address['id']}", json={"mac_address": given})
    refused_field(answer, "mac_address")


def test_a_patched_mac_address_is_kept_in_the_same_notation(org: Org) -> None:
    """PATCH reads MAC addresses as POST does."""
    address = add_address(org, add_subnet(org, "10.0.1.0/24"), "10.0.1.10")
    path = f"/api/v1/addresses/{address['id']}"
    assert found(org.patch(path, json={"mac_address": "001a.2b3c.4d5e"}))["mac_address"] == MAC


@pytest.mark.parametrize(
    ("field", "value"), [("ip", "10.0.1.11"), ("vrf_id", "vrf_01h455vb4pex5vsknk084sn02q")]
)
def test_an_address_keeps_its_place(org: Org, field: str, value: str) -> None:
    """The ip and the VRF of an address cannot change; the sentence says so."""
    address = add_address(org, add_subnet(org, "10.0.1.0/24"), "10.0.1.10")
    path = f"/api/v1/addresses/{address['id']}"
    body = refused_field(org.patch(path, json={field: value, "owner": "dba"}), field)
    assert "change" in " ".join([body["error"], *body["fields"][field]])
    assert address_of(org, address) == address


@pytest.mark.parametrize("field", OPTIONAL)
def test_null_clears_an_optional_field(org: Org, field: str) -> None:
    """Null takes the value away and leaves the others."""
    address = add_address(org, add_subnet(org, "10.0.1.0/24"), "10.0.1.10", **OPTIONAL)
    changed = found(org.patch(f"/api/v1/addresses/{address['id']}", json={field: None}))
    assert {name: changed[name] for name in OPTIONAL} == {**OPTIONAL, field: None}
    assert changed["status"] == "active"


@pytest.mark.parametrize(
    ("field", "value"),
    [("hostname", "db-01"), ("description", "DB"), ("owner", "dba"), ("status", "offline")],
)
def test_a_patch_changes_only_what_it_gives(org: Org, field: str, value: str) -> None:
    """Fields left out stay."""
    address = add_address(org, add_subnet(org, "10.0.1.0/24"), "10.0.1.10", **OPTIONAL)
    changed = found(org.patch(f"/api/v1/addresses/{address['id']}", json={field: value}))
    assert changed == {**address, field: value, "updated_at": changed["updated_at"]}


def test_an_empty_patch_changes_nothing(org: Org) -> None:
    """PATCH with no field leaves the address as it is."""
    address = add_address(org, add_subnet(org, "10.0.1.0/24"), "10.0.1.10", **OPTIONAL)
    assert found(org.patch(f"/api/v1/addresses/{address['id']}", json={})) == address


def test_addresses_are_listed_by_address(org: Org) -> None:
    """The order is that of the addresses as numbers, not of their text or creation."""
    subnet = add_subnet(org, "10.0.0.0/16")
    add_addresses(org, subnet, ["10.0.0.100", "10.0.0.9", "10.0.10.1", "10.0.9.1", "10.0.0.10"])
    expected = ["10.0.0.9", "10.0.0.10", "10.0.0.100", "10.0.9.1", "10.0.10.1"]
    assert ips(org, subnet) == expected
    assert [a["ip"] for a in found(org.get("/api/v1/addresses"))] == expected


def test_all_addresses_are_listed(org: Org) -> None:
    """Without a filter the list holds the addresses of every subnet, whole."""
    made = add_subnets(org, ["10.0.1.0/24", "10.0.2.0/24"])
    first = add_address(org, made["10.0.1.0/24"], "10.0.1.10", **OPTIONAL)
    second = add_address(org, made["10.0.2.0/24"], "10.0.2.10")
    assert found(org.get("/api/v1/addresses")) == [first, second]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"ip": "10.0.1.10"}, ["10.0.1.10"]),
        ({"ip": "10.0.1.99"}, []),
        ({"ip": "2001:DB8:0::1"}, ["2001:db8::1"]),
        ({"mac_address": MAC}, ["10.0.1.10"]),
        ({"mac_address": "001a.2b3c.4d5e"}, ["10.0.1.10"]),
        ({"mac_address": "00-1a-2b-3c-4d-5e"}, ["10.0.1.10"]),
        ({"hostname": "web-01.prod"}, ["10.0.1.10"]),
        ({"hostname": "nobody"}, []),
        ({"status": "reserved"}, ["10.0.1.11"]),
        ({"status": "active"}, ["10.0.1.10", "10.0.1.12", "2001:db8::1"]),
        ({"status": "offline"}, []),
        ({"owner": "platform-team"}, ["10.0.1.10", "10.0.1.11"]),
        ({"owner": "platform-team", "status": "reserved"}, ["10.0.1.11"]),
        ({"owner": "%"}, []),
        ({"owner": "o'neil"}, ["10.0.1.12"]),
    ],
)
def test_addresses_are_found_by_what_is_known(
    org: Org, filters: dict[str, str], expected: list[str]
) -> None:
    """Filters find whole values, in any notation, and narrow each other."""
    made = add_subnets(org, ["10.0.1.0/24", "2001:db8::/64"])
    ipv4, ipv6 = made.values()
    add_address(org, ipv4, "10.0.1.10", **OPTIONAL)
    add_address(org, ipv4, "10.0.1.11", status="reserved", owner="platform-team")
    add_address(org, ipv4, "10.0.1.12", owner="o'neil")
    add_address(org, ipv6, "2001:db8::1")
    answer = found(org.get("/api/v1/addresses", params=filters))
    assert [address["ip"] for address in answer] == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [("ip", "nonsense"), ("ip", "10.0.1.0/24"), ("mac_address", "nonsense"), ("status", "free")],
)
def test_a_filter_of_no_form_is_refused(org: Org, name: str, value: str) -> None:
    """A filter that cannot be read is a 400 naming it, not an empty list."""
    refused_field(org.get("/api/v1/addresses", params={name: value}), name)
