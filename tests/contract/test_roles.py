"""Roles: who may look, who may change, who may manage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .answers import created, found, gone, refused
from .clients import Client
from .inventory import add_address, add_key, add_section, add_subnet, add_vlan, add_vrf, networks

if TYPE_CHECKING:
    from ipcraft.testing.fixtures import Org, Served

WRITES: tuple[tuple[str, str, Any], ...] = (
    ("POST", "/api/v1/sections", {"name": "Production"}),
    ("PATCH", "/api/v1/sections/{section}", {"name": "Production"}),
    ("DELETE", "/api/v1/sections/{section}", None),
    ("POST", "/api/v1/vrfs", {"name": "Blue"}),
    ("PATCH", "/api/v1/vrfs/{vrf}", {"name": "Blue"}),
    ("DELETE", "/api/v1/vrfs/{vrf}", None),
    ("POST", "/api/v1/vlans", {"number": 120, "name": "Voice"}),
    ("PATCH", "/api/v1/vlans/{vlan}", {"name": "Voice"}),
    ("DELETE", "/api/v1/vlans/{vlan}", None),
    ("POST", "/api/v1/subnets", {"network": "10.1.0.0/16"}),
    ("PATCH", "/api/v1/subnets/{subnet}", {"name": "Web servers"}),
    ("DELETE", "/api/v1/subnets/{subnet}", None),
    ("POST", "/api/v1/subnets/{subnet}/split", {"parts": 2}),
    ("POST", "/api/v1/subnets/{subnet}/addresses", {"ip": "10.0.1.11"}),
    ("POST", "/api/v1/subnets/{subnet}/first-free", {}),
    ("POST", "/api/v1/subnets/{subnet}/first-free-subnet", {"prefix_length": 26}),
    ("PATCH", "/api/v1/addresses/{address}", {"hostname": "web-01.prod"}),
    ("DELETE", "/api/v1/addresses/{address}", None),
)

READS = (
    "/api/v1/auth/me",
    "/api/v1/sections",
    "/api/v1/sections/{section}",
    "/api/v1/vrfs",
    "/api/v1/vrfs/{vrf}",
    "/api/v1/vlans",
    "/api/v1/vlans/{vlan}",
    "/api/v1/subnets",
    "/api/v1/subnets/{subnet}",
    "/api/v1/subnets/{subnet}/usage",
    "/api/v1/subnets/{subnet}/first-free",
    "/api/v1/subnets/{subnet}/first-free-subnet?prefix_length=26",
    "/api/v1/subnets/{subnet}/addresses",
    "/api/v1/addresses",
    "/api/v1/addresses/{address}",
    "/api/v1/webhooks",
    "/api/v1/activity",
    "/api/v1/events",
)


@pytest.fixture
def ids(org: Org) -> dict[str, str]:
    """Make one resource of each kind and give the ids."""
    subnet = add_subnet(org, "10.0.1.0/24")
    return {
        "section": add_section(org, "Folder")["id"],
        "vrf": add_vrf(org, "VRF")["id"],
        "vlan": add_vlan(org, 1, "VLAN")["id"],
        "subnet": subnet["id"],
        "address": add_address(org, subnet, "10.0.1.10")["id"],
    }


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_a_viewer_cannot_write(
    viewer: Client, ids: dict[str, str], method: str, path: str, body: object
) -> None:
    """Every write of a viewer is a 403."""
    refused(viewer.call(method, path.format(**ids), json=body), 403)


@pytest.mark.parametrize("path", READS)
def test_a_viewer_reads(viewer: Client, ids: dict[str, str], path: str) -> None:
    """A viewer may read the inventory and the activity."""
    found(viewer.call("GET", path.format(**ids)))


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_an_editor_writes(
    editor: Client, ids: dict[str, str], method: str, path: str, body: object
) -> None:
    """An editor may change the inventory."""
    assert editor.call(method, path.format(**ids), json=body).status_code in (200, 201, 204)


def test_a_refused_write_changes_nothing(org: Org, viewer: Client) -> None:
    """What a viewer was refused is not there."""
    refused(viewer.call("POST", "/api/v1/subnets", json={"network": "10.0.0.0/8"}), 403)
    assert networks(org) == []


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_viewers_and_editors_make_no_keys(org: Org, served: Served, role: str) -> None:
    """Below the admin nobody makes a key."""
    client = Client(url=served.url, key=add_key(org, role=role)["key"])
    refused(client.call("POST", "/api/v1/api-keys", json={"name": "CI"}), 403)


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_viewers_and_editors_revoke_no_keys(org: Org, served: Served, role: str) -> None:
    """Below the admin nobody revokes a key."""
    key = add_key(org, role=role)
    client = Client(url=served.url, key=key["key"])
    refused(client.call("DELETE", f"/api/v1/api-keys/{key['id']}"), 403)
    found(client.call("GET", "/api/v1/sections"))


def test_an_admin_manages_keys(admin: Client) -> None:
    """An admin makes, lists and revokes keys."""
    key = created(admin.call("POST", "/api/v1/api-keys", json={"name": "CI"}))
    assert key["id"] in [k["id"] for k in found(admin.call("GET", "/api/v1/api-keys"))]
    gone(admin.call("DELETE", f"/api/v1/api-keys/{key['id']}"))


def test_a_key_is_an_editor_unless_said_otherwise(org: Org, served: Served) -> None:
    """A key without a role changes the inventory and manages no keys."""
    client = Client(url=served.url, key=add_key(org)["key"])
    created(client.call("POST", "/api/v1/sections", json={"name": "Production"}))
    refused(client.call("POST", "/api/v1/api-keys", json={"name": "CI"}), 403)
