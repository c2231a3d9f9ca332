"""Activity: one entry per change, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .answers import created, found, gone, is_id, is_time
from .inventory import (
    activity,
    add_address,
    add_addresses,
    add_section,
    add_subnet,
    add_subnets,
    inventory_activity,
)

if TYPE_CHECKING:
    from ipcraft.testing.fixtures import Org


def test_a_new_organization_has_no_inventory_activity(org: Org) -> None:
    """Nothing happened to an inventory that is not there."""
    assert inventory_activity(org) == []


def test_every_change_has_an_entry(org: Org) -> None:
    """Creation, change and deletion of each kind are told, newest first."""
    section = add_section(org, "Production")["id"]
    subnet = add_subnet(org, "10.0.1.0/24")
    address = add_address(org, subnet, "10.0.1.10")["id"]
    found(org.patch(f"/api/v1/sections/{section}", json={"name": "Prod"}))
    found(org.patch(f"/api/v1/subnets/{subnet['id']}", json={"name": "Web"}))
    found(org.patch(f"/api/v1/addresses/{address}", json={"owner": "dba"}))
    for path in (f"addresses/{address}", f"subnets/{subnet['id']}", f"sections/{section}"):
        gone(org.delete(f"/api/v1/{path}"))
    assert inventory_activity(org) == [
        ("folder.deleted", section),
        ("subnet.deleted", subnet["id"]),
        ("address.deleted", address),
        ("address.updated", address),
        ("subnet.updated", subnet["id"]),
        ("folder.updated", section),
        ("address.created", address),
        ("subnet.created", subnet["id"]),
        ("folder.created", section),
    ]


@pytest.mark.parametrize("kind", ["folder", "subnet", "address"])
def test_an_entry_says_what_who_and_when(org: Org, kind: str) -> None:
    """An entry has the documented keys; its type is the first half of its action."""
    add_section(org, "Production")
    add_address(org, add_subnet(org, "10.0.1.0/24"), "10.0.1.10")
    (entry,) = [e for e in activity(org) if e["resource_type"] == kind]
    assert is_id(entry["id"], "act")
    assert entry["action"] == f"{kind}.created"
    assert entry["user_id"] == org.user_id
    assert isinstance(entry["details"], str)
    assert entry["details"]
    assert is_time(entry["created_at"])


def test_details_name_the_resource(org: Org) -> None:
    """The sentence names what a reader would look for."""
    subnet = add_subnet(org, "10.0.1.0/24")
    add_address(org, subnet, "10.0.1.10")
    add_section(org, "Production")
    details = {entry["resource_type"]: entry["details"] for entry in activity(org)}
    assert details["subnet"] == "Created subnet 10.0.1.0/24"
    assert "10.0.1.10" in details["address"]
    assert "Production" in details["folder"]


def test_refused_changes_leave_no_entry(org: Org) -> None:
    """What did not happen is not told."""
    subnet = add_subnet(org, "10.0.1.0/24")
    before = activity(org)
    for path, body in (
        ("/api/v1/subnets", {"network": "10.0.1.0/24"}),
        ("/api/v1/subnets", [{"network": "10.2.0.0/16"}, {"network": "10.0.1.0/24"}]),
        (f"/api/v1/subnets/{subnet['id']}/addresses", {"ip": "10.0.2.1"}),
        (f"/api/v1/subnets/{subnet['id']}/addresses", [{"ip": "10.0.1.1"}, {"ip": "10.0.2.1"}]),
        (f"/api/v1/subnets/{subnet['id']}/split", {"parts": 3}),
        (f"/api/v1/subnets/{subnet['id']}/first-free", {"count": 255}),
    ):
        assert org.post(path, json=body).status_code == 400
    assert activity(org) == before


def test_reading_leaves_no_entry(org: Org) -> None:
    """Only changes are told."""
    subnet = add_subnet(org, "10.0.1.0/24")
    before = activity(org)
    for rest in ("", "/usage", "/first-free", "/addresses", "/first-free-subnet?prefix_length=26"):
        found(org.get(f"/api/v1/subnets/{subnet['id']}{rest}"))
    assert activity(org) == before


def test_a_cascade_tells_each_subnet(org: Org) -> None:
    """Deleting a subnet leaves one `subnet.deleted` for it and for each descendant."""
    made = add_subnets(org, ["10.0.0.0/8", "10.0.0.0/16", "10.0.1.0/24", "10.1.0.0/16"])
    add_addresses(org, made["10.0.1.0/24"], ["10.0.1.1", "10.0.1.2"])
    gone(org.delete(f"/api/v1/subnets/{made['10.0.0.0/8']['id']}"))
    deleted = [i for action, i in inventory_activity(org) if action == "subnet.deleted"]
    assert sorted(deleted) == sorted(subnet["id"] for subnet in made.values())


def test_a_split_tells_each_part(org: Org) -> None:
    """Every part of a split is told as created."""
    subnet = add_subnet(org, "10.0.1.0/24")
    parts = created(org.post(f"/api/v1/subnets/{subnet['id']}/split", json={"parts": 4}))
    told = {i for action, i in inventory_activity(org) if action == "subnet.created"}
    assert told == {subnet["id"], *(part["id"] for part in parts)}


def test_bulk_creation_tells_each_item(org: Org) -> None:
    """A list body leaves an entry for each of its items."""
    subnet = add_subnet(org, "10.0.1.0/24")
    made = add_addresses(org, subnet, ["10.0.1.1", "10.0.1.2", "10.0.1.3"])
    told = {i for action, i in inventory_activity(org) if action == "address.created"}
    assert told == {address["id"] for address in made}


def test_taken_addresses_are_told(org: Org) -> None:
    """Addresses taken by first-free are created like any other."""
    subnet = add_subnet(org, "10.0.1.0/24")
    path = f"/api/v1/subnets/{subnet['id']}/first-free"
    made = created(org.post(path, json={"count": 3}))
    told = {i for action, i in inventory_activity(org) if action == "address.created"}
    assert told == {address["id"] for address in made}


def test_fifty_entries_are_the_default_and_two_hundred_the_most(org: Org) -> None:
    """Without `limit` there are 50 entries; never are there more than 200."""
    subnet = add_subnet(org, "10.0.0.0/22")
    add_addresses(org, subnet, [f"10.0.{n // 256}.{n % 256}" for n in range(1, 251)])
    assert len(activity(org)) == 50
    assert len(activity(org, limit=200)) == 200
    response = org.get("/api/v1/activity", params={"limit": 201})
    assert response.status_code == 400 or len(response.json()) <= 200


def test_pages_of_activity_follow_each_other(org: Org) -> None:
    """`limit` and `offset` cut windows out of one order."""
    for number in range(6):
        add_section(org, f"Folder {number}")
    newest = activity(org, limit=6)
    assert activity(org, limit=2, offset=2) == newest[2:4]
    assert activity(org, limit=1) == newest[:1]
    assert [entry["created_at"] for entry in newest] == sorted(
        (entry["created_at"] for entry in newest), reverse=True
    )
