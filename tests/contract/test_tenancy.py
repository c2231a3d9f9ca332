"""Organizations do not see each other, and cannot tell whether there is anything to see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .answers import found, refused
from .inventory import (
    Resource,
    activity,
    add_address,
    add_key,
    add_section,
    add_subnet,
    address_of,
    ips,
    networks,
    subnet_of,
)

if TYPE_CHECKING:
    from ipcraft.testing.fixtures import Org

    from .clients import Client

UNKNOWN = {
    "section": "sec_01h455vb4pex5vsknk084sn02q",
    "subnet": "sub_01h455vb4pex5vsknk084sn02q",
    "address": "addr_01h455vb4pex5vsknk084sn02q",
    "key": "key_01h455vb4pex5vsknk084sn02q",
}

REQUESTS: tuple[tuple[str, str, Any], ...] = (
    ("GET", "/api/v1/sections/{section}", None),
    ("PATCH", "/api/v1/sections/{section}", {"name": "Mine"}),
    ("DELETE", "/api/v1/sections/{section}", None),
    ("GET", "/api/v1/subnets/{subnet}", None),
    ("PATCH", "/api/v1/subnets/{subnet}", {"name": "Mine"}),
    ("DELETE", "/api/v1/subnets/{subnet}", None),
    ("POST", "/api/v1/subnets/{subnet}/split", {"parts": 2}),
    ("GET", "/api/v1/subnets/{subnet}/usage", None),
    ("GET", "/api/v1/subnets/{subnet}/first-free", None),
    ("POST", "/api/v1/subnets/{subnet}/first-free", {}),
    ("GET", "/api/v1/subnets/{subnet}/first-free-subnet?prefix_length=26", None),
    ("POST", "/api/v1/subnets/{subnet}/first-free-subnet", {"prefix_length": 26}),
    ("GET", "/api/v1/subnets/{subnet}/addresses", None),
    ("POST", "/api/v1/subnets/{subnet}/addresses", {"ip": "10.0.1.11"}),
    ("POST", "/api/v1/subnets/{subnet}/addresses", [{"ip": "10.0.1.11"}]),
    ("GET", "/api/v1/addresses/{address}", None),
    ("PATCH", "/api/v1/addresses/{address}", {"hostname": "mine"}),
    ("DELETE", "/api/v1/addresses/{address}", None),
    ("DELETE", "/api/v1/api-keys/{key}", None),
)


@pytest.fixture
def theirs(other: Org) -> dict[str, Resource]:
    """Make one resource of each kind in the other organization."""
    section = add_section(other, "Theirs")
    subnet = add_subnet(other, "10.0.1.0/24", section_id=section["id"])
    address = add_address(other, subnet, "10.0.1.10")
    key = add_key(other)
    return {"section": section, "subnet": subnet, "address": address, "key": key}


def identifiers(resources: dict[str, Resource]) -> dict[str, str]:
    """Give the resources' ids by kind."""
    return {kind: resource["id"] for kind, resource in resources.items()}


def comparable(answer: dict[str, Any], ids: dict[str, str]) -> dict[str, str]:
    """Give an error without its request id and without the ids that were asked for."""
    body = {name: str(value) for name, value in answer.items() if name != "request_id"}
    for kind, identifier in ids.items():
        body = {name: value.replace(identifier, kind) for name, value in body.items()}
    return body


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
def test_a_foreign_id_is_answered_like_an_unknown_one(
    client: Client, theirs: dict[str, Resource], method: str, path: str, body: Any
) -> None:
    """Another organization's resource is a 404 with the body of an id that does not exist."""
    ids = identifiers(theirs)
    foreign = refused(client.call(method, path.format(**ids), json=body), 404)
    unknown = refused(client.call(method, path.format(**UNKNOWN), json=body), 404)
    assert comparable(foreign, ids) == comparable(unknown, UNKNOWN)


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_foreign_resource_is_not_touched(
    client: Client, other: Org, theirs: dict[str, Resource], method: str
) -> None:
    """What another organization tried to change is as it was."""
    before = [subnet_of(other, theirs["subnet"]), address_of(other, theirs["address"])]
    for path, body in (
        (f"/api/v1/subnets/{theirs['subnet']['id']}", {"name": "Mine"}),
        (f"/api/v1/addresses/{theirs['address']['id']}", {"hostname": "mine"}),
        (f"/api/v1/sections/{theirs['section']['id']}", {"name": "Mine"}),
    ):
        refused(client.call(method, path, json=body if method == "PATCH" else None), 404)
    after = [subnet_of(other, theirs["subnet"]), address_of(other, theirs["address"])]
    assert after == before
    assert found(other.get("/api/v1/sections")) == [theirs["section"]]


def test_a_foreign_key_cannot_be_revoked(org: Org, other: Org, theirs: dict[str, Resource]) -> None:
    """Another organization's key lives on."""
    refused(org.delete(f"/api/v1/api-keys/{theirs['key']['id']}"), 404)
    listed = [key["id"] for key in found(other.get("/api/v1/api-keys"))]
    assert theirs["key"]["id"] in listed


def test_a_foreign_folder_cannot_be_used(org: Org, theirs: dict[str, Resource]) -> None:
    """A subnet put into another organization's folder is refused like one put into no folder."""
    ids = identifiers(theirs)
    foreign, unknown = (
        org.post("/api/v1/subnets", json={"network": "10.9.0.0/16", "section_id": section})
        for section in (ids["section"], UNKNOWN["section"])
    )
    assert foreign.status_code == unknown.status_code
    assert foreign.status_code in (400, 404)
    assert comparable(refused(foreign, foreign.status_code), ids) == comparable(
        refused(unknown, unknown.status_code), UNKNOWN
    )
    assert networks(org) == []


def test_a_subnet_cannot_move_to_a_foreign_folder(org: Org, theirs: dict[str, Resource]) -> None:
    """PATCH knows no folder of another organization either."""
    subnet = add_subnet(org, "10.9.0.0/16")
    path = f"/api/v1/subnets/{subnet['id']}"
    response = org.patch(path, json={"section_id": theirs["section"]["id"]})
    assert response.status_code in (400, 404)
    refused(response, response.status_code)
    assert subnet_of(org, subnet)["section_id"] is None


@pytest.mark.parametrize("path", ["/api/v1/sections", "/api/v1/subnets", "/api/v1/addresses"])
def test_lists_hold_nothing_foreign(org: Org, theirs: dict[str, Resource], path: str) -> None:
    """A new organization's lists are empty, whatever others have."""
    assert theirs
    assert found(org.get(path)) == []


def test_filters_find_nothing_foreign(org: Org, theirs: dict[str, Resource]) -> None:
    """No filter opens another organization."""
    section, subnet = theirs["section"]["id"], theirs["subnet"]["id"]
    assert found(org.get("/api/v1/subnets", params={"network": "10.0.1.0/24"})) == []
    assert found(org.get("/api/v1/subnets", params={"contains": "10.0.1.10"})) == []
    assert found(org.get("/api/v1/addresses", params={"ip": "10.0.1.10"})) == []
    for filters in ({"section_id": section}, {"parent_id": subnet}):
        answer = org.get("/api/v1/subnets", params=filters)
        assert answer.status_code in (400, 404) or answer.json() == []


def test_activity_tells_nothing_foreign(org: Org, theirs: dict[str, Resource]) -> None:
    """The activity of an organization is its own."""
    mentioned = {entry["resource_id"] for entry in activity(org)}
    assert mentioned.isdisjoint(identifiers(theirs).values())


def test_networks_of_others_do_not_overlap(org: Org, theirs: dict[str, Resource]) -> None:
    """Two organizations may have the same network and the same address."""
    subnet = add_subnet(org, theirs["subnet"]["network"])
    add_address(org, subnet, theirs["address"]["ip"])
    assert ips(org, subnet) == [theirs["address"]["ip"]]


def test_subnets_do_not_nest_across_organizations(org: Org, other: Org) -> None:
    """A smaller network of another organization becomes no child, and takes no address."""
    smaller = add_subnet(other, "10.0.1.0/24")
    larger = add_subnet(org, "10.0.0.0/16")
    address = add_address(org, larger, "10.0.1.10")
    assert subnet_of(org, larger)["children"] == []
    assert address["subnet_id"] == larger["id"]
    assert ips(other, smaller) == []
