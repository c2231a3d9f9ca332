"""VRFs: address spaces of their own, each with the same networks and addresses if need be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .answers import created, found, gone, is_id, is_time, refused, refused_field
from .inventory import (
    Resource,
    activity,
    add_address,
    add_addresses,
    add_subnet,
    add_vrf,
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

UNKNOWN = "vrf_01h455vb4pex5vsknk084sn02q"


def test_a_vrf_has_its_fields(org: Org) -> None:
    """What was given is kept; what was not is null; the VRF is there when asked for."""
    body = {"name": "Blue", "rd": "65000:100", "description": "Customers"}
    vrf = created(org.post("/api/v1/vrfs", json=body))
    assert is_id(vrf["id"], "vrf")
    assert is_time(vrf["created_at"])
    assert {name: vrf[name] for name in body} == body
    assert found(org.get(f"/api/v1/vrfs/{vrf['id']}")) == vrf
    plain = add_vrf(org, "Plain")
    assert (plain["rd"], plain["description"]) == (None, None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": "Blue", "rd": "65000"}, "rd"),
        ({"name": "Blue", "rd": 65000}, "rd"),
        ({"name": "Blue", "rd": ""}, "rd"),
        ({"name": "Blue", "colour": "blue"}, "colour"),
    ],
)
def test_a_bad_vrf_is_refused(org: Org, body: object, field: str) -> None:
    """A 400 names the field, and nothing is made."""
    refused_field(org.post("/api/v1/vrfs", json=body), field)
    assert found(org.get("/api/v1/vrfs")) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "Blue", "rd": "65000:2"}, "name"),
        ({"name": "Red", "rd": "65000:1"}, "rd"),
        ({"name": "Red", "rd": "0.65000:01"}, "rd"),
    ],
)
def test_name_and_route_distinguisher_are_one_vrfs(org: Org, body: object, field: str) -> None:
    """A second VRF of the name, or of the route distinguisher in any spelling, names the first."""
    first = add_vrf(org, "Blue", rd="65000:1")
    assert first["id"] in refused_field(org.post("/api/v1/vrfs", json=body), field)["error"]
    other = add_vrf(org, "Green", rd="65000:3")
    path = f"/api/v1/vrfs/{other['id']}"
    assert first["id"] in refused_field(org.patch(path, json=body), field)["error"]
    assert found(org.get(path)) == other


def test_many_vrfs_need_no_route_distinguisher(org: Org) -> None:
    """None is not the same as none."""
    for name in ("Blue", "Red", "Green"):
        assert add_vrf(org, name)["rd"] is None


def test_names_are_unique_in_the_organization_only(org: Org, other: Org) -> None:
    """What others call theirs is nobody's business."""
    for each in (org, other):
        add_vrf(each, "Blue", rd="65000:1")


def test_a_patch_changes_only_what_it_gives(org: Org) -> None:
    """Fields left out stay, null clears, and one's own name may be sent again."""
    vrf = add_vrf(org, "Blue", rd="65000:1", description="Customers")
    path = f"/api/v1/vrfs/{vrf['id']}"
    changed = found(org.patch(path, json={"name": "Blue", "rd": None}))
    assert changed == {**vrf, "rd": None, "updated_at": changed["updated_at"]}
    refused_field(org.patch(path, json={"name": None}), "name")


def test_vrfs_are_listed_newest_first_and_found_by_what_is_known(org: Org) -> None:
    """The list begins with the newest; name and route distinguisher find one."""
    blue, red = add_vrf(org, "Blue", rd="65000:1"), add_vrf(org, "Red", rd="65000:2")
    assert found(org.get("/api/v1/vrfs")) == [red, blue]
    assert found(org.get("/api/v1/vrfs", params={"name": "Blue"})) == [blue]
    assert found(org.get("/api/v1/vrfs", params={"rd": "65000:002"})) == [red]
    assert found(org.get("/api/v1/vrfs", params={"name": "Blue", "rd": "65000:2"})) == []
    refused_field(org.get("/api/v1/vrfs", params={"rd": "nonsense"}), "rd")


def test_a_used_vrf_is_not_deleted(org: Org) -> None:
    """While a subnet is in it a VRF stays; without one it goes, once."""
    vrf = add_vrf(org, "Blue")
    path = f"/api/v1/vrfs/{vrf['id']}"
    subnet = add_subnet(org, "10.0.1.0/24", vrf_id=vrf["id"])
    body = refused(org.delete(path))
    assert body["code"] == "vrf_in_use"
    assert "10.0.1.0/24" in body["error"]
    assert found(org.get(path)) == vrf
    gone(org.delete(f"/api/v1/subnets/{subnet['id']}"))
    gone(org.delete(path))
    for response in (org.get(path), org.delete(path), org.patch(path, json={"name": "Red"})):
        refused(response, 404)


def test_a_network_may_be_in_every_vrf_once(org: Org) -> None:
    """The same network in the global VRF and in two others; a second time in one is refused."""
    vrf_ids = [None, add_vrf(org, "Blue")["id"], add_vrf(org, "Red")["id"]]
    for vrf_id in vrf_ids:
        assert add_subnet(org, "10.0.1.0/24", vrf_id=vrf_id)["vrf_id"] == vrf_id
    for vrf_id in vrf_ids:
        body = {"network": "10.0.1.0/24", "vrf_id": vrf_id}
        error = refused(org.post("/api/v1/subnets", json=body))["error"]
        assert error == "Subnet overlaps with existing subnet 10.0.1.0/24"
    assert networks(org) == ["10.0.1.0/24"] * 3


def test_subnets_nest_within_their_vrf(org: Org) -> None:
    """Parents, children and homes are found among the subnets of the same VRF."""
    blue = add_vrf(org, "Blue")["id"]
    outer = add_subnet(org, "10.0.0.0/16")
    inner = add_subnet(org, "10.0.1.0/24", vrf_id=blue)
    assert inner["parent_id"] is None
    address = add_address(org, inner, "10.0.1.10")
    around = add_subnet(org, "10.0.0.0/20", vrf_id=blue)
    assert subnet_of(org, inner)["parent_id"] == around["id"]
    assert (children(org, outer), children(org, around)) == ([], ["10.0.1.0/24"])
    assert address_of(org, address)["vrf_id"] == blue
    assert (used(org, outer), used(org, around)) == (0, 1)
    assert ips(org, outer) == []


def test_an_address_may_be_in_every_vrf_once(org: Org) -> None:
    """The same address in two VRFs is two records; a second one in a VRF names the first."""
    blue = add_vrf(org, "Blue")["id"]
    subnets = [add_subnet(org, "10.0.1.0/24"), add_subnet(org, "10.0.1.0/24", vrf_id=blue)]
    for subnet in subnets:
        first = add_address(org, subnet, "10.0.1.10")
        response = org.post(f"/api/v1/subnets/{subnet['id']}/addresses", json={"ip": "10.0.1.10"})
        assert first["id"] in refused(response)["error"]
        assert first_free(org, subnet) == "10.0.1.1"
        assert ips(org, subnet) == ["10.0.1.10"]


def test_parts_and_free_networks_are_in_the_vrf_of_their_subnet(org: Org) -> None:
    """Split and first-free-subnet stay in the VRF, whatever the others have."""
    blue = add_vrf(org, "Blue")["id"]
    add_subnet(org, "10.0.1.0/26")
    subnet = add_subnet(org, "10.0.1.0/24", vrf_id=blue)
    path = f"/api/v1/subnets/{subnet['id']}"
    taken = created(org.post(f"{path}/first-free-subnet", json={"prefix_length": 26}))
    assert (taken["network"], taken["vrf_id"]) == ("10.0.1.0/26", blue)
    same = {"prefix_length": 26, "vrf_id": blue}
    assert created(org.post(f"{path}/first-free-subnet", json=same))["vrf_id"] == blue
    for vrf_id in (None, UNKNOWN):
        body = {"prefix_length": 26, "vrf_id": vrf_id}
        refused_field(org.post(f"{path}/first-free-subnet", json=body), "vrf_id")
    parts = created(org.post(f"/api/v1/subnets/{taken['id']}/split", json={"parts": 2}))
    assert [part["vrf_id"] for part in parts] == [blue, blue]


@pytest.fixture
def spaces(org: Org) -> dict[str, Resource]:
    """Make the same two subnets and two addresses globally and in the VRF Blue, one in Red."""
    made = {name: add_vrf(org, name) for name in ("Blue", "Red")}
    for vrf_id in (None, made["Blue"]["id"]):
        outer = add_subnet(org, "10.0.0.0/16", vrf_id=vrf_id)
        add_subnet(org, "10.0.1.0/24", vrf_id=vrf_id)
        add_addresses(org, outer, ["10.0.1.7", "10.0.2.7"])
    add_address(org, add_subnet(org, "10.0.0.0/8", vrf_id=made["Red"]["id"]), "10.0.1.7")
    return made


def test_subnets_are_found_in_one_vrf_or_in_all(org: Org, spaces: dict[str, Resource]) -> None:
    """`vrf_id` narrows every other filter; its empty value is the global VRF."""

    def shown(**params: str) -> list[tuple[str, str | None]]:
        found_ = found(org.get("/api/v1/subnets", params=params))
        return [(each["network"], each["vrf_id"]) for each in found_]

    blue, red = spaces["Blue"]["id"], spaces["Red"]["id"]
    outer, inner = "10.0.0.0/16", "10.0.1.0/24"
    assert shown(network=inner) == [(inner, None), (inner, blue)]
    assert shown(network=inner, vrf_id=blue) == [(inner, blue)]
    assert shown(network=inner, vrf_id=red) == []
    assert shown(contains="10.0.1.7") == [
        (outer, None), (inner, None), (outer, blue), (inner, blue), ("10.0.0.0/8", red),
    ]  # fmt: skip
    assert shown(contains="10.0.1.7", vrf_id="") == [(outer, None), (inner, None)]
    assert shown(contains="10.0.2.0/24", vrf_id=blue) == [(outer, blue)]
    assert shown(vrf_id="") == [(outer, None), (inner, None)]
    assert shown(vrf_id=blue) == [(outer, blue), (inner, blue)]
    assert shown(vrf_id=UNKNOWN) == []


def test_addresses_are_found_in_one_vrf_or_in_all(org: Org, spaces: dict[str, Resource]) -> None:
    """Without `vrf_id` an address is found in every VRF, the global one first."""

    def shown(**params: str) -> list[tuple[str, str | None]]:
        found_ = found(org.get("/api/v1/addresses", params=params))
        return [(each["ip"], each["vrf_id"]) for each in found_]

    blue, red = spaces["Blue"]["id"], spaces["Red"]["id"]
    assert shown(ip="10.0.1.7") == [("10.0.1.7", vrf_id) for vrf_id in (None, blue, red)]
    assert shown(ip="10.0.1.7", vrf_id=blue) == [("10.0.1.7", blue)]
    assert shown(ip="10.0.1.7", vrf_id="") == [("10.0.1.7", None)]
    assert shown(vrf_id=blue) == [("10.0.1.7", blue), ("10.0.2.7", blue)]
    assert len(shown()) == 5


def test_every_change_of_a_vrf_is_an_entry_of_the_activity(org: Org) -> None:
    """Creation, change and deletion are told by the VRF's name."""
    vrf = add_vrf(org, "Blue")
    found(org.patch(f"/api/v1/vrfs/{vrf['id']}", json={"name": "Red"}))
    gone(org.delete(f"/api/v1/vrfs/{vrf['id']}"))
    entries = [
        (entry["action"], entry["resource_id"], entry["details"])
        for entry in activity(org)
        if entry["resource_type"] == "vrf"
    ]
    assert entries == [
        ("vrf.deleted", vrf["id"], "Deleted VRF Red"),
        ("vrf.updated", vrf["id"], "Updated VRF Red"),
        ("vrf.created", vrf["id"], "Created VRF Blue"),
    ]
