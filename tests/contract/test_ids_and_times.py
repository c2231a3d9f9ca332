"""Identifiers and times, alike on every resource."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from .answers import created, found, is_id, is_time
from .inventory import (
    activity,
    add_address,
    add_key,
    add_section,
    add_subnet,
    add_vlan,
    add_vrf,
    address_of,
    subnet_of,
)

if TYPE_CHECKING:
    from ipcraft.testing.fixtures import Org


def test_each_kind_has_its_prefix(org: Org) -> None:
    """An id is a TypeID: the kind's prefix and the base32 of a UUIDv7."""
    subnet = add_subnet(org, "10.0.1.0/24")
    assert is_id(subnet["id"], "sub")
    assert is_id(add_section(org, "Production")["id"], "sec")
    assert is_id(add_vrf(org, "Blue")["id"], "vrf")
    assert is_id(add_vlan(org, 120, "Voice")["id"], "vlan")
    assert is_id(add_address(org, subnet, "10.0.1.10")["id"], "addr")
    assert is_id(add_key(org)["id"], "key")
    assert all(is_id(entry["id"], "act") for entry in activity(org))


def test_the_organization_and_the_user_have_ids(org: Org) -> None:
    """Organizations and users carry TypeIDs as well."""
    answer = found(org.get("/api/v1/auth/me"))
    assert is_id(answer["organization"]["id"], "org")
    assert is_id(answer["user"]["id"], "usr")


def test_parts_of_a_split_have_ids(org: Org) -> None:
    """Subnets made by a split have ids of their own."""
    subnet = add_subnet(org, "10.0.1.0/24")
    parts = created(org.post(f"/api/v1/subnets/{subnet['id']}/split", json={"parts": 4}))
    assert all(is_id(part["id"], "sub") for part in parts)
    assert len({part["id"] for part in parts} | {subnet["id"]}) == 5


def test_ids_sort_by_creation(org: Org) -> None:
    """What was created later has the greater id."""
    made = [add_section(org, f"Folder {number}")["id"] for number in range(12)]
    assert made[0] < made[6] < made[11]


def test_times_are_utc_in_whole_seconds(org: Org) -> None:
    """Every time ends in Z and has no fraction."""
    subnet = add_subnet(org, "10.0.1.0/24")
    address = add_address(org, subnet, "10.0.1.10")
    times = [
        add_section(org, "Production")["created_at"],
        subnet["created_at"],
        address["created_at"],
        address["updated_at"],
        subnet_of(org, subnet)["created_at"],
        activity(org)[0]["created_at"],
    ]
    assert all(is_time(time) for time in times)


def test_created_at_is_now(org: Org) -> None:
    """The time of creation is the server's time, in UTC."""
    made = datetime.fromisoformat(add_section(org, "Production")["created_at"])
    assert abs(datetime.now(UTC) - made) < timedelta(minutes=2)


def test_a_change_moves_updated_at_only(org: Org) -> None:
    """PATCH keeps the time of creation and never moves the time of change backwards."""
    address = add_address(org, add_subnet(org, "10.0.1.0/24"), "10.0.1.10")
    changed = found(org.patch(f"/api/v1/addresses/{address['id']}", json={"owner": "dba"}))
    assert changed["created_at"] == address["created_at"]
    assert changed["updated_at"] >= address["updated_at"]
    assert address_of(org, address) == changed
