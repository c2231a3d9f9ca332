"""Organizations do not see each other, and cannot tell whether there is anything to see.

That no id of another opens anything is in ``tests/tenancy``, for every route.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .answers import found
from .inventory import (
    Resource,
    activity,
    add_address,
    add_key,
    add_section,
    add_subnet,
    ips,
    subnet_of,
)

if TYPE_CHECKING:
    from ipcraft.testing.fixtures import Org


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


@pytest.mark.parametrize("path", ["/api/v1/sections", "/api/v1/subnets", "/api/v1/addresses"])
def test_lists_hold_nothing_foreign(org: Org, theirs: dict[str, Resource], path: str) -> None:
    """A new organization's lists are empty, whatever others have."""
    assert theirs
    assert found(org.get(path)) == []


def test_filters_find_nothing_foreign(org: Org, theirs: dict[str, Resource]) -> None:
    """No filter opens another organization."""
    assert theirs
    assert found(org.get("/api/v1/subnets", params={"network": "10.0.1.0/24"})) == []
    assert found(org.get("/api/v1/subnets", params={"contains": "10.0.1.10"})) == []
    assert found(org.get("/api/v1/addresses", params={"ip": "10.0.1.10"})) == []


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
