"""Folders: their order, their fields, what stays when they go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .answers import found, gone, refused
from .inventory import add_address, add_section, add_subnet, address_of, subnet_of

if TYPE_CHECKING:
    from ipcraft.testing.fixtures import Org


def test_folders_are_listed_by_sort_order_then_name(org: Org) -> None:
    """The order is the folders' own, not that of their creation."""
    for name, sort_order in (("b", 1), ("z", 0), ("a", 1), ("y", -1), ("m", 10)):
        add_section(org, name, sort_order=sort_order)
    listed = [section["name"] for section in found(org.get("/api/v1/sections"))]
    assert listed == ["y", "z", "a", "b", "m"]


def test_a_patch_changes_only_what_it_gives(org: Org) -> None:
    """Fields left out stay."""
    section = add_section(org, "Production", description="Ranges", sort_order=4)
    changed = found(org.patch(f"/api/v1/sections/{section['id']}", json={"sort_order": 5}))
    assert changed == {**section, "sort_order": 5, **_newer(changed)}


def _newer(changed: dict[str, object]) -> dict[str, object]:
    return {key: changed[key] for key in ("updated_at",) if key in changed}


def test_null_clears_the_description(org: Org) -> None:
    """An optional field is cleared by null."""
    section = add_section(org, "Production", description="Ranges")
    changed = found(org.patch(f"/api/v1/sections/{section['id']}", json={"description": None}))
    assert changed["description"] is None


def test_null_does_not_clear_the_name(org: Org) -> None:
    """The one required field cannot be cleared."""
    section = add_section(org, "Production")
    path = f"/api/v1/sections/{section['id']}"
    assert "name" in refused(org.patch(path, json={"name": None}))["fields"]
    assert found(org.get(path)) == section


def test_an_empty_patch_changes_nothing(org: Org) -> None:
    """PATCH with no field answers the folder as it is."""
    section = add_section(org, "Production")
    assert found(org.patch(f"/api/v1/sections/{section['id']}", json={})) == section


def test_the_subnets_of_a_deleted_folder_stay(org: Org) -> None:
    """Deleting a folder leaves its subnets, with no folder, and their addresses."""
    section = add_section(org, "Production")
    kept = add_section(org, "Development")
    subnet = add_subnet(org, "10.0.1.0/24", section_id=section["id"])
    elsewhere = add_subnet(org, "10.0.2.0/24", section_id=kept["id"])
    address = add_address(org, subnet, "10.0.1.10")
    gone(org.delete(f"/api/v1/sections/{section['id']}"))
    assert subnet_of(org, subnet)["section_id"] is None
    assert subnet_of(org, elsewhere)["section_id"] == kept["id"]
    assert address_of(org, address)["subnet_id"] == subnet["id"]


def test_a_folder_is_deleted_once(org: Org) -> None:
    """A second deletion finds nothing."""
    path = f"/api/v1/sections/{add_section(org, 'Production')['id']}"
    gone(org.delete(path))
    refused(org.delete(path), 404)
    refused(org.patch(path, json={"name": "Again"}), 404)
