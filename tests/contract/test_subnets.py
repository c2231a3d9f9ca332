"""Subnets: their networks, their gateways, what a change may touch."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest

from .answers import found, gone, refused, refused_field
from .inventory import (
    add_address,
    add_section,
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

UNKNOWN_SECTION = "sec_01h455vb4pex5vsknk084sn02q"
UNKNOWN_VRF = "vrf_01h455vb4pex5vsknk084sn02q"


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("10.0.1.5/24", "10.0.1.0/24"),
        ("10.0.0.1/8", "10.0.0.0/8"),
        ("10.0.0.1/31", "10.0.0.0/31"),
        ("192.168.1.255/25", "192.168.1.128/25"),
        ("1.0.0.0/0", "0.0.0.0/0"),
        ("2001:db8::1/64", "2001:db8::/64"),
        ("2001:db8:0:1::/32", "2001:db8::/32"),
        ("2001:db8::1/127", "2001:db8::/127"),
    ],
)
def test_host_bits_are_refused_with_the_network_meant(org: Org, given: str, meant: str) -> None:
    """A network with host bits is refused; the sentence names the network that was meant."""
    body = refused_field(org.post("/api/v1/subnets", json={"network": given}), "network")
    assert meant in body["error"]
    assert networks(org) == []


@pytest.mark.parametrize(
    "network",
    [
        "",
        "/",
        "/24",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/+8",
        "10.0.0.0/8.0",
        "10.0.0.0/eight",
        "10.0.0.0/8/8",
        "10.0.0/8",
        "10.0.0.0.0/8",
        "300.0.0.0/8",
        "010.0.0.0/8",
        "0x0a.0.0.0/8",
        "web servers",
        "2001:db8::/129",
        "2001:db8::/-1",
        "2001:db8:::/64",
        "2001:db8::g/64",
        "fe80::%eth0/64",
        "1:2:3:4:5:6:7:8:9/64",
        "\u0661\u0660.0.0.0/8",
        "10.0.0.0/\u0668",
        "10.0.0.0/" + "9" * 5000,
    ],
)
def test_what_is_no_network_is_refused(org: Org, network: str) -> None:
    """Text that is no network of either family is a 400 about the field."""
    refused_field(org.post("/api/v1/subnets", json={"network": network}), "network")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("255.255.255.255/32", "255.255.255.255/32"),
        ("::/0", "::/0"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("2001:0db8:0000:0000:0000:0000:0000:0000/32", "2001:db8::/32"),
        ("2001:db8:0:0:1:0:0:0/80", "2001:db8:0:0:1::/80"),
        ("::1/128", "::1/128"),
    ],
)
def test_a_network_is_kept_in_its_short_form(org: Org, given: str, kept: str) -> None:
    """However it is spelt, a network comes back as RFC 5952 writes it."""
    subnet = add_subnet(org, given)
    assert subnet["network"] == kept
    assert subnet_of(org, subnet)["network"] == kept


@pytest.mark.parametrize(
    ("network", "gateway", "kept"),
    [
        ("10.0.1.0/24", "10.0.1.1", "10.0.1.1"),
        ("10.0.1.0/24", "10.0.1.254", "10.0.1.254"),
        ("2001:db8::/64", "2001:DB8:0::1", "2001:db8::1"),
        ("10.0.1.0/31", "10.0.1.0", "10.0.1.0"),
        ("10.0.1.0/24", None, None),
    ],
)
def test_a_gateway_inside_the_subnet_is_kept(
    org: Org, network: str, gateway: str | None, kept: str | None
) -> None:
    """A gateway is an address of the subnet, or none."""
    assert add_subnet(org, network, gateway=gateway)["gateway"] == kept


@pytest.mark.parametrize(
    ("network", "gateway"),
    [
        ("10.0.1.0/24", "10.0.2.1"),
        ("10.0.1.0/24", "10.0.0.255"),
        ("10.0.1.0/24", "2001:db8::1"),
        ("2001:db8::/64", "10.0.1.1"),
        ("2001:db8::/64", "2001:db8:0:1::1"),
        ("10.0.1.0/24", "10.0.1.1/24"),
        ("10.0.1.0/24", "router"),
        ("10.0.1.0/24", ""),
        ("::/0", "0.0.0.1"),
    ],
)
def test_a_gateway_elsewhere_is_refused(org: Org, network: str, gateway: str) -> None:
    """A gateway outside the subnet, of the other family or of no form is refused."""
    body = {"network": network, "gateway": gateway}
    refused_field(org.post("/api/v1/subnets", json=body), "gateway")
    assert networks(org) == []


@pytest.mark.parametrize("gateway", ["10.0.2.1", "2001:db8::1", "router"])
def test_a_gateway_cannot_be_moved_outside(org: Org, gateway: str) -> None:
    """PATCH checks the gateway as POST does."""
    subnet = add_subnet(org, "10.0.1.0/24", gateway="10.0.1.1")
    path = f"/api/v1/subnets/{subnet['id']}"
    refused_field(org.patch(path, json={"gateway": gateway}), "gateway")
    assert subnet_of(org, subnet)["gateway"] == "10.0.1.1"


@pytest.mark.parametrize(
    ("field", "value"),
    [("network", "10.0.2.0/24"), ("vrf_id", UNKNOWN_VRF)],
)
def test_a_subnet_keeps_its_place(org: Org, field: str, value: str) -> None:
    """The network and the VRF of a subnet cannot change; the sentence says so."""
    subnet = add_subnet(org, "10.0.1.0/24")
    path = f"/api/v1/subnets/{subnet['id']}"
    body = refused_field(org.patch(path, json={field: value, "name": "Moved"}), field)
    assert "change" in " ".join([body["error"], *body["fields"][field]])
    assert subnet_of(org, subnet)["network"] == "10.0.1.0/24"
    assert subnet_of(org, subnet)["name"] == subnet["name"]


def test_a_patch_changes_only_what_it_gives(org: Org) -> None:
    """Fields left out stay."""
    section = add_section(org, "Production")
    subnet = add_subnet(
        org,
        "10.0.1.0/24",
        name="Web servers",
        description="Web tier",
        section_id=section["id"],
        gateway="10.0.1.1",
    )
    found(org.patch(f"/api/v1/subnets/{subnet['id']}", json={"name": "Web"}))
    after = subnet_of(org, subnet)
    kept = ("network", "description", "section_id", "gateway", "is_pool", "created_at")
    assert after["name"] == "Web"
    assert {key: after[key] for key in kept} == {key: subnet[key] for key in kept}


@pytest.mark.parametrize("field", ["name", "description", "section_id", "gateway"])
def test_null_clears_an_optional_field(org: Org, field: str) -> None:
    """Null takes the value away."""
    given = {
        "name": "Web servers",
        "description": "Web tier",
        "section_id": add_section(org, "Production")["id"],
        "gateway": "10.0.1.1",
    }
    subnet = add_subnet(org, "10.0.1.0/24", **given)
    changed = found(org.patch(f"/api/v1/subnets/{subnet['id']}", json={field: None}))
    assert changed[field] is None
    others = [name for name in given if name != field]
    assert [changed[name] for name in others] == [given[name] for name in others]


def test_an_empty_patch_changes_nothing(org: Org) -> None:
    """PATCH with no field leaves the subnet as it is."""
    subnet = add_subnet(org, "10.0.1.0/24", name="Web servers")
    before = subnet_of(org, subnet)
    found(org.patch(f"/api/v1/subnets/{subnet['id']}", json={}))
    assert subnet_of(org, subnet) == before


def test_a_subnet_moves_between_folders(org: Org) -> None:
    """PATCH puts a subnet into another folder, and both lists know."""
    first, second = add_section(org, "Production"), add_section(org, "Development")
    subnet = add_subnet(org, "10.0.1.0/24", section_id=first["id"])
    found(org.patch(f"/api/v1/subnets/{subnet['id']}", json={"section_id": second["id"]}))
    listed = {
        section["id"]: found(org.get("/api/v1/subnets", params={"section_id": section["id"]}))
        for section in (first, second)
    }
    assert listed[first["id"]] == []
    assert [s["id"] for s in listed[second["id"]]] == [subnet["id"]]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("section_id", UNKNOWN_SECTION),
        ("section_id", "folder"),
        ("section_id", ""),
        ("vrf_id", UNKNOWN_VRF),
        ("vrf_id", "vrf"),
        ("vlan_id", "vlan_01h455vb4pex5vsknk084sn02q"),
    ],
)
def test_an_unknown_reference_is_refused(org: Org, field: str, value: str) -> None:
    """A folder, VRF or VLAN that is not there cannot be named."""
    response = org.post("/api/v1/subnets", json={"network": "10.0.1.0/24", field: value})
    assert response.status_code in (400, 404)
    refused(response, response.status_code)
    assert networks(org) == []


def test_subnets_are_listed_by_address(org: Org) -> None:
    """The order is that of the addresses as numbers, not of their text or creation."""
    given = ["100.0.0.0/8", "9.0.0.0/8", "10.0.0.0/24", "10.0.10.0/24", "10.0.9.0/24"]
    add_subnets(org, given)
    listed = [ip_address(network.partition("/")[0]) for network in networks(org)]
    assert listed == sorted(listed, key=int)
    assert len(listed) == len(given)


def test_ipv6_subnets_are_listed_by_address(org: Org) -> None:
    """IPv6 networks stand in the order of their numbers as well."""
    add_subnets(org, ["2001:db8:a::/48", "2001:db8:9::/48", "2001:db8:10::/48", "fd00::/8"])
    assert networks(org) == [
        "2001:db8:9::/48",
        "2001:db8:a::/48",
        "2001:db8:10::/48",
        "fd00::/8",
    ]


def test_the_list_shows_children_beside_their_parents(org: Org) -> None:
    """The list holds subnets of every level."""
    add_subnets(org, ["10.0.0.0/8", "10.0.0.0/16", "10.0.1.0/24"])
    assert sorted(networks(org)) == ["10.0.0.0/16", "10.0.0.0/8", "10.0.1.0/24"]


def test_delete_cascades_through_every_level(org: Org) -> None:
    """All descendants and their addresses go; what stands beside them stays."""
    made = add_subnets(
        org, ["10.0.0.0/8", "10.0.0.0/16", "10.0.1.0/24", "10.0.1.0/26", "10.1.0.0/16"]
    )
    inside = [
        add_address(org, made["10.0.0.0/8"], ip) for ip in ("10.0.0.1", "10.0.1.1", "10.0.1.65")
    ]
    beside = add_address(org, made["10.0.0.0/8"], "10.1.0.1")
    gone(org.delete(f"/api/v1/subnets/{made['10.0.0.0/16']['id']}"))
    assert networks(org) == ["10.0.0.0/8", "10.1.0.0/16"]
    for address in inside:
        refused(org.get(f"/api/v1/addresses/{address['id']}"), 404)
    assert address_of(org, beside)["subnet_id"] == made["10.1.0.0/16"]["id"]
    assert used(org, made["10.0.0.0/8"]) == 1


def test_a_subnet_is_deleted_once(org: Org) -> None:
    """A second deletion finds nothing."""
    path = f"/api/v1/subnets/{add_subnet(org, '10.0.1.0/24')['id']}"
    gone(org.delete(path))
    refused(org.delete(path), 404)
    refused(org.patch(path, json={"name": "Again"}), 404)


def test_a_deleted_network_can_be_created_again(org: Org) -> None:
    """Nothing of a deleted subnet stands in the way of its successor, which is empty."""
    first = add_subnet(org, "10.0.1.0/24")
    add_address(org, first, "10.0.1.10")
    gone(org.delete(f"/api/v1/subnets/{first['id']}"))
    second = add_subnet(org, "10.0.1.0/24")
    assert second["id"] != first["id"]
    assert ips(org, second) == []
    assert used(org, second) == 0
    assert children(org, second) == []


def test_a_subnet_filtered_by_network(org: Org) -> None:
    """`network` finds that network and no other."""
    made = add_subnets(org, ["10.0.0.0/16", "10.0.1.0/24", "10.0.1.0/26"])
    answer = found(org.get("/api/v1/subnets", params={"network": "10.0.1.0/24"}))
    assert [subnet["id"] for subnet in answer] == [made["10.0.1.0/24"]["id"]]
    assert found(org.get("/api/v1/subnets", params={"network": "10.0.2.0/24"})) == []


def test_a_subnet_filtered_by_network_in_another_spelling(org: Org) -> None:
    """`network` compares networks, not texts."""
    add_subnet(org, "2001:db8::/32")
    answer = found(org.get("/api/v1/subnets", params={"network": "2001:0DB8:0::/32"}))
    assert [subnet["network"] for subnet in answer] == ["2001:db8::/32"]


@pytest.mark.parametrize(
    ("contains", "expected"),
    [
        ("10.0.1.7", {"10.0.0.0/8", "10.0.0.0/16", "10.0.1.0/24"}),
        ("10.0.1.0", {"10.0.0.0/8", "10.0.0.0/16", "10.0.1.0/24"}),
        ("10.0.1.255", {"10.0.0.0/8", "10.0.0.0/16", "10.0.1.0/24"}),
        ("10.0.2.0", {"10.0.0.0/8", "10.0.0.0/16"}),
        ("10.1.0.0", {"10.0.0.0/8"}),
        ("11.0.0.0", set()),
        ("2001:db8::1", {"2001:db8::/32"}),
        ("::10.0.1.7", set()),
    ],
)
def test_subnets_filtered_by_an_address_they_contain(
    org: Org, contains: str, expected: set[str]
) -> None:
    """`contains` finds every subnet around an address, of its family only."""
    add_subnets(org, ["10.0.0.0/8", "10.0.0.0/16", "10.0.1.0/24", "2001:db8::/32"])
    answer = found(org.get("/api/v1/subnets", params={"contains": contains}))
    assert {subnet["network"] for subnet in answer} == expected


def test_subnets_filtered_by_parent(org: Org) -> None:
    """`parent_id` finds the children, not the children's children."""
    made = add_subnets(org, ["10.0.0.0/8", "10.0.0.0/16", "10.0.1.0/24", "10.1.0.0/16"])
    parent = made["10.0.0.0/8"]["id"]
    answer = found(org.get("/api/v1/subnets", params={"parent_id": parent}))
    assert [subnet["network"] for subnet in answer] == ["10.0.0.0/16", "10.1.0.0/16"]


def test_filters_narrow_each_other(org: Org) -> None:
    """Two filters find what both find."""
    section = add_section(org, "Production")
    add_subnet(org, "10.0.0.0/16", section_id=section["id"])
    add_subnet(org, "10.0.1.0/24")
    filters = {"section_id": section["id"], "contains": "10.0.1.7"}
    answer = found(org.get("/api/v1/subnets", params=filters))
    assert [subnet["network"] for subnet in answer] == ["10.0.0.0/16"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("network", "nonsense"),
        ("network", "10.0.0.0/33"),
        ("contains", "nonsense"),
        ("contains", "300.0.0.1"),
    ],
)
def test_a_filter_of_no_form_is_refused(org: Org, name: str, value: str) -> None:
    """A filter that cannot be read is a 400 naming it, not an empty list."""
    refused_field(org.get("/api/v1/subnets", params={name: value}), name)
