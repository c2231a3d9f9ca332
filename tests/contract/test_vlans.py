"""VLANs: numbers with a name, and the subnets that are bridged over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .answers import created, found, gone, is_id, is_time, refused, refused_field
from .inventory import activity, add_subnet, add_vlan, add_vrf, subnet_of

if TYPE_CHECKING:
    from ipcraft.testing.fixtures import Org

UNKNOWN = "vlan_01h455vb4pex5vsknk084sn02q"


def test_a_vlan_has_its_fields(org: Org) -> None:
    """What was given is kept; the VLAN is there when asked for."""
    body = {"number": 120, "name": "Voice", "description": "Telephones"}
    vlan = created(org.post("/api/v1/vlans", json=body))
    assert is_id(vlan["id"], "vlan")
    assert is_time(vlan["created_at"])
    assert {name: vlan[name] for name in body} == body
    assert found(org.get(f"/api/v1/vlans/{vlan['id']}")) == vlan
    assert add_vlan(org, 121, "Data")["description"] is None


@pytest.mark.parametrize("number", [1, 4094])
def test_the_numbers_of_the_standard_are_taken(org: Org, number: int) -> None:
    """The first and the last VLAN there can be."""
    assert add_vlan(org, number, "Edge")["number"] == number


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "Voice"}, "number"),
        ({"number": 120}, "name"),
        ({"number": 120, "name": ""}, "name"),
        ({"number": 0, "name": "Voice"}, "number"),
        ({"number": 4095, "name": "Voice"}, "number"),
        ({"number": -1, "name": "Voice"}, "number"),
        ({"number": 10**30, "name": "Voice"}, "number"),
        ({"number": "120", "name": "Voice"}, "number"),
        ({"number": 1.0, "name": "Voice"}, "number"),
        ({"number": None, "name": "Voice"}, "number"),
        ({"number": 120, "name": "Voice", "vid": 120}, "vid"),
    ],
)
def test_a_bad_vlan_is_refused(org: Org, body: object, field: str) -> None:
    """A 400 names the field, and nothing is made."""
    refused_field(org.post("/api/v1/vlans", json=body), field)
    assert found(org.get("/api/v1/vlans")) == []


def test_a_number_may_be_used_again_under_another_name(org: Org) -> None:
    """Each site has its VLAN 100; the same number with the same name is refused, naming it."""
    first = add_vlan(org, 100, "Data Akron")
    second = add_vlan(org, 100, "Data Albany")
    add_vlan(org, 101, "Data Akron")
    body = {"number": 100, "name": "Data Akron"}
    assert first["id"] in refused_field(org.post("/api/v1/vlans", json=body), "name")["error"]
    path = f"/api/v1/vlans/{second['id']}"
    refused_field(org.patch(path, json={"name": "Data Akron"}), "name")
    assert found(org.get(path)) == second


def test_a_patch_changes_only_what_it_gives(org: Org) -> None:
    """Fields left out stay, null clears, and nothing that is needed can be cleared."""
    vlan = add_vlan(org, 120, "Voice", description="Telephones")
    path = f"/api/v1/vlans/{vlan['id']}"
    changed = found(org.patch(path, json={"number": 121, "description": None}))
    rest = {"number": 121, "description": None, "updated_at": changed["updated_at"]}
    assert changed == {**vlan, **rest}
    for field in ("number", "name"):
        refused_field(org.patch(path, json={field: None}), field)


def test_vlans_are_listed_newest_first_and_found_by_what_is_known(org: Org) -> None:
    """The list begins with the newest; number and name find some."""
    akron, albany = add_vlan(org, 100, "Akron"), add_vlan(org, 100, "Albany")
    voice = add_vlan(org, 200, "Voice")
    assert found(org.get("/api/v1/vlans")) == [voice, albany, akron]
    assert found(org.get("/api/v1/vlans", params={"number": 100})) == [albany, akron]
    assert found(org.get("/api/v1/vlans", params={"name": "Voice"})) == [voice]
    assert found(org.get("/api/v1/vlans", params={"number": 200, "name": "Akron"})) == []
    for number in ("0", "4095", "many", ""):
        refused_field(org.get("/api/v1/vlans", params={"number": number}), "number")


def test_a_subnet_gets_and_leaves_a_vlan(org: Org) -> None:
    """A VLAN is given on creation or later, taken away with null, and found by."""
    voice, data = add_vlan(org, 120, "Voice"), add_vlan(org, 121, "Data")
    subnet = add_subnet(org, "10.0.1.0/24", vlan_id=voice["id"])
    path = f"/api/v1/subnets/{subnet['id']}"
    assert subnet["vlan_id"] == voice["id"]
    assert found(org.patch(path, json={"vlan_id": data["id"]}))["vlan_id"] == data["id"]
    listed = {
        vlan["name"]: found(org.get("/api/v1/subnets", params={"vlan_id": vlan["id"]}))
        for vlan in (voice, data)
    }
    assert [each["id"] for each in listed["Data"]] == [subnet["id"]]
    assert listed["Voice"] == []
    assert found(org.patch(path, json={"vlan_id": None}))["vlan_id"] is None


@pytest.mark.parametrize("vlan_id", [UNKNOWN, "vlan", "", 120])
def test_an_unknown_vlan_is_refused(org: Org, vlan_id: object) -> None:
    """A VLAN that is not there, or a number for it, is a 400, on creation and on change."""
    body = {"network": "10.0.1.0/24", "vlan_id": vlan_id}
    refused_field(org.post("/api/v1/subnets", json=body), "vlan_id")
    subnet = add_subnet(org, "10.0.1.0/24")
    path = f"/api/v1/subnets/{subnet['id']}"
    refused_field(org.patch(path, json={"vlan_id": vlan_id}), "vlan_id")
    assert subnet_of(org, subnet)["vlan_id"] is None


def test_a_vlan_may_cross_vrfs_and_parts_stay_in_it(org: Org) -> None:
    """A VLAN belongs to no VRF; the parts of a split are in the VLAN of the whole."""
    vlan = add_vlan(org, 120, "Voice")
    for vrf_id in (None, add_vrf(org, "Blue")["id"]):
        subnet = add_subnet(org, "10.0.1.0/24", vrf_id=vrf_id, vlan_id=vlan["id"])
    parts = created(org.post(f"/api/v1/subnets/{subnet['id']}/split", json={"parts": 2}))
    assert [part["vlan_id"] for part in parts] == [vlan["id"]] * 2
    found_ = found(org.get("/api/v1/subnets", params={"vlan_id": vlan["id"]}))
    assert len(found_) == 4


def test_the_subnets_of_a_deleted_vlan_stay(org: Org) -> None:
    """Deleting a VLAN leaves its subnets, in none; it is deleted once."""
    vlan, kept = add_vlan(org, 120, "Voice"), add_vlan(org, 121, "Data")
    subnet = add_subnet(org, "10.0.1.0/24", vlan_id=vlan["id"])
    elsewhere = add_subnet(org, "10.0.2.0/24", vlan_id=kept["id"])
    path = f"/api/v1/vlans/{vlan['id']}"
    gone(org.delete(path))
    assert subnet_of(org, subnet)["vlan_id"] is None
    assert subnet_of(org, elsewhere)["vlan_id"] == kept["id"]
    for response in (org.get(path), org.delete(path), org.patch(path, json={"name": "Data"})):
        refused(response, 404)


def test_every_change_of_a_vlan_is_an_entry_of_the_activity(org: Org) -> None:
    """Creation, change and deletion are told by number and name."""
    vlan = add_vlan(org, 120, "Voice")
    found(org.patch(f"/api/v1/vlans/{vlan['id']}", json={"number": 121}))
    gone(org.delete(f"/api/v1/vlans/{vlan['id']}"))
    entries = [
        (entry["action"], entry["resource_id"], entry["details"])
        for entry in activity(org)
        if entry["resource_type"] == "vlan"
    ]
    assert entries == [
        ("vlan.deleted", vlan["id"], "Deleted VLAN 121 Voice"),
        ("vlan.updated", vlan["id"], "Updated VLAN 121 Voice"),
        ("vlan.created", vlan["id"], "Created VLAN 120 Voice"),
    ]
