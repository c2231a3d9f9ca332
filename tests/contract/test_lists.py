"""Pages of lists: limit, offset, Link and X-Total-Count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from .answers import created, found, refused_field
from .inventory import (
    add_addresses,
    add_key,
    add_section,
    add_subnet,
    add_vlan,
    add_vrf,
    add_webhook,
)

if TYPE_CHECKING:
    from ipcraft.testing.fixtures import Org

LISTS = (
    "/api/v1/sections",
    "/api/v1/vrfs",
    "/api/v1/vlans",
    "/api/v1/subnets",
    "/api/v1/addresses",
    "/api/v1/subnets/{subnet}/addresses",
    "/api/v1/api-keys",
    "/api/v1/webhooks",
    "/api/v1/invitations",
    "/api/v1/activity",
)


@pytest.fixture
def subnet(org: Org) -> str:
    """Make some resources of every kind and give the id of a subnet with seven addresses."""
    for number in range(5):
        add_section(org, f"Folder {number}")
        add_vrf(org, f"VRF {number}")
        add_vlan(org, 120, f"VLAN {number}")
        add_subnet(org, f"10.0.{number}.0/24")
        add_key(org, f"Key {number}")
        created(org.post("/api/v1/invitations", json={"email": f"a{number}-{org.id}@example.com"}))
        add_webhook(org, f"https://example.com/{number}")
    full = add_subnet(org, "10.1.0.0/24")
    add_addresses(org, full, [f"10.1.0.{host}" for host in range(1, 8)])
    identifier: str = full["id"]
    return identifier


def ids(items: list[dict[str, Any]]) -> list[str]:
    """Give the items' ids."""
    return [item["id"] for item in items]


@pytest.mark.parametrize("path", LISTS)
def test_pages_make_the_whole_list(org: Org, subnet: str, path: str) -> None:
    """Following the `next` links from the first page shows every item once, in the list's order."""
    path = path.format(subnet=subnet)
    whole = ids(found(org.get(path)))
    seen: list[str] = []
    following: str | None = f"{path}?limit=2"
    while following is not None:
        response = org.get(following)
        page = ids(found(response))
        assert 0 < len(page) <= 2
        assert response.headers["X-Total-Count"] == str(len(whole))
        seen += page
        target = response.links.get("next", {}).get("url")
        following = None if target is None else "?".join(urlsplit(target)[2:4])
    assert seen == whole
    assert len(whole) >= 5


@pytest.mark.parametrize("path", LISTS)
def test_offset_skips(org: Org, subnet: str, path: str) -> None:
    """`limit` and `offset` cut a window out of the whole list."""
    path = path.format(subnet=subnet)
    whole = ids(found(org.get(path)))
    response = org.get(path, params={"limit": 2, "offset": 1})
    assert ids(found(response)) == whole[1:3]
    assert response.headers["X-Total-Count"] == str(len(whole))


@pytest.mark.parametrize("path", LISTS)
def test_a_page_beyond_the_end_is_empty(org: Org, subnet: str, path: str) -> None:
    """Beyond the end there is nothing, and the total is still told."""
    path = path.format(subnet=subnet)
    whole = found(org.get(path))
    response = org.get(path, params={"limit": 10, "offset": 5000})
    assert found(response) == []
    assert response.headers["X-Total-Count"] == str(len(whole))
    assert "next" not in response.links


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("limit", "-1"),
        ("limit", "1001"),
        ("limit", "many"),
        ("limit", "1.5"),
        ("limit", ""),
        ("limit", "1" + "0" * 30),
        ("offset", "-1"),
        ("offset", "later"),
        ("offset", "1" + "0" * 30),
    ],
)
def test_a_bad_page_is_refused(org: Org, path: str, name: str, value: str) -> None:
    """`limit` is 1 to 1000, `offset` is not negative; anything else is a 400 naming it."""
    subnet = add_subnet(org, "10.0.1.0/24")
    response = org.get(path.format(subnet=subnet["id"]), params={name: value})
    refused_field(response, name)


@pytest.mark.parametrize("path", LISTS[:-1])
def test_a_thousand_may_be_asked_for(org: Org, subnet: str, path: str) -> None:
    """The largest page is 1000."""
    path = path.format(subnet=subnet)
    assert ids(found(org.get(path, params={"limit": 1000}))) == ids(found(org.get(path)))


def test_the_first_page_has_no_previous(org: Org, subnet: str) -> None:
    """Links lead only where there is something."""
    assert subnet
    first = org.get("/api/v1/subnets", params={"limit": 2})
    assert "prev" not in first.links
    assert "next" in first.links


def test_pages_keep_their_filters(org: Org, subnet: str) -> None:
    """The `next` link of a filtered list is filtered alike, and so is the total."""
    assert subnet
    response = org.get("/api/v1/subnets", params={"contains": "10.1.0.1", "limit": 1})
    assert response.headers["X-Total-Count"] == "1"
    assert "next" not in response.links
    response = org.get("/api/v1/addresses", params={"status": "active", "limit": 3})
    assert response.headers["X-Total-Count"] == "7"
    assert "status=active" in response.links["next"]["url"]


def test_lists_without_a_limit_are_whole(org: Org) -> None:
    """A documented list returns everything."""
    subnet = add_subnet(org, "10.0.0.0/20")
    given = [f"10.0.{number // 256}.{number % 256}" for number in range(1, 1501)]
    add_addresses(org, subnet, given)
    answer = found(org.get(f"/api/v1/subnets/{subnet['id']}/addresses"))
    assert [address["ip"] for address in answer] == given
    assert len(found(org.get("/api/v1/addresses"))) == len(given)


def test_keys_are_listed_newest_first(org: Org) -> None:
    """The list of keys begins with the newest."""
    made = [add_key(org, f"Key {number}")["id"] for number in range(4)]
    listed = ids(found(org.get("/api/v1/api-keys")))
    assert [key for key in listed if key in made] == made[::-1]
