"""List bodies: many at once, all or nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from .answers import created, refused
from .inventory import (
    add_address,
    add_subnet,
    add_subnets,
    children,
    first_free,
    ips,
    networks,
    subnet_of,
    used,
)

if TYPE_CHECKING:
    import requests

    from ipcraft.testing.fixtures import Org

LIMIT = 10_000
"""The most that one request may create."""


def names_index(response: requests.Response, index: int) -> bool:
    """Tell whether the refusal names the item at the index, counted from 0."""
    body = refused(response)
    said = " ".join([body["error"], *body.get("fields", {})])
    return re.search(rf"(?<![\d.:/]){index}(?![\d:/]|\.\d)", said) is not None


def hosts(count: int) -> list[str]:
    """Give the first addresses of 10.0.0.0/16."""
    return [f"10.0.{number // 256}.{number % 256}" for number in range(1, count + 1)]


def test_many_addresses_are_created_in_one_request(org: Org) -> None:
    """A list body is answered with the list of what was created, in its order."""
    subnet = add_subnet(org, "10.0.1.0/24")
    body = [
        {"ip": "10.0.1.30", "hostname": "web-30", "status": "reserved"},
        {"ip": "10.0.1.10", "mac_address": "001a.2b3c.4d5e"},
        {"ip": "10.0.1.20"},
    ]
    made = created(org.post(f"/api/v1/subnets/{subnet['id']}/addresses", json=body))
    assert [address["ip"] for address in made] == [item["ip"] for item in body]
    assert (made[0]["hostname"], made[0]["status"]) == ("web-30", "reserved")
    assert made[1]["mac_address"] == "00:1A:2B:3C:4D:5E"
    assert ips(org, subnet) == ["10.0.1.10", "10.0.1.20", "10.0.1.30"]


def test_a_list_of_one_is_answered_with_a_list(org: Org) -> None:
    """The answer has the form of the body."""
    subnet = add_subnet(org, "10.0.1.0/24")
    path = f"/api/v1/subnets/{subnet['id']}/addresses"
    (made,) = created(org.post(path, json=[{"ip": "10.0.1.10"}]))
    assert made["ip"] == "10.0.1.10"
    (child,) = created(org.post("/api/v1/subnets", json=[{"network": "10.0.1.0/26"}]))
    assert child["network"] == "10.0.1.0/26"


def test_each_address_of_a_list_finds_its_home(org: Org) -> None:
    """Addresses of one list may belong to different descendants."""
    made = add_subnets(org, ["10.0.0.0/16", "10.0.1.0/24", "10.0.2.0/24"])
    path = f"/api/v1/subnets/{made['10.0.0.0/16']['id']}/addresses"
    body = [{"ip": ip} for ip in ("10.0.1.1", "10.0.2.1", "10.0.3.1")]
    homes = [address["subnet_id"] for address in created(org.post(path, json=body))]
    outer, first, second = (subnet["id"] for subnet in made.values())
    assert homes == [first, second, outer]
    assert [used(org, subnet) for subnet in made.values()] == [3, 1, 1]


BAD_ADDRESSES: tuple[Any, ...] = (
    {"ip": "nonsense"},
    {"ip": "10.0.2.1"},
    {"ip": "10.0.1.0"},
    {"ip": "10.0.1.255"},
    {"ip": "10.0.1.200"},
    {"ip": "10.0.1.10"},
    {"ip": "10.0.1.40", "status": "free"},
    {"ip": "10.0.1.40", "mac_address": "nonsense"},
    {"ip": "10.0.1.40", "hostnam": "web"},
    {"ip": "2001:db8::1"},
    {"hostname": "web"},
    {},
    "10.0.1.40",
    None,
    ["10.0.1.40"],
)


@pytest.mark.parametrize("bad", BAD_ADDRESSES, ids=str)
def test_one_bad_address_stops_all(org: Org, bad: Any) -> None:
    """An error names the index of the bad item, and nothing of the list is created."""
    subnet = add_subnet(org, "10.0.1.0/24")
    add_address(org, subnet, "10.0.1.200")
    good = [{"ip": f"10.0.1.{host}"} for host in (10, 11, 12)]
    path = f"/api/v1/subnets/{subnet['id']}/addresses"
    assert names_index(org.post(path, json=[*good, bad, {"ip": "10.0.1.13"}]), 3)
    assert ips(org, subnet) == ["10.0.1.200"]
    assert used(org, subnet) == 1
    assert first_free(org, subnet) == "10.0.1.1"


BAD_SUBNETS: tuple[Any, ...] = (
    {"network": "nonsense"},
    {"network": "10.0.4.1/24"},
    {"network": "10.9.0.0/16"},
    {"network": "10.0.1.0/24"},
    {"network": "10.0.4.0/24", "gateway": "10.0.5.1"},
    {"network": "10.0.4.0/24", "is_pool": "yes"},
    {"network": "10.0.4.0/24", "section_id": "sec_01h455vb4pex5vsknk084sn02q"},
    {"network": "10.0.4.0/24", "gatway": None},
    {"name": "Web servers"},
    {},
    "10.0.4.0/24",
    None,
)


@pytest.mark.parametrize("bad", BAD_SUBNETS, ids=str)
def test_one_bad_subnet_stops_all(org: Org, bad: Any) -> None:
    """An error names the index of the bad item, and nothing of the list is created."""
    add_subnet(org, "10.9.0.0/16")
    good = [{"network": network} for network in ("10.0.0.0/16", "10.0.1.0/24", "10.0.2.0/24")]
    response = org.post("/api/v1/subnets", json=[*good, bad, {"network": "10.0.3.0/24"}])
    if response.status_code == 404:
        refused(response, 404)
    else:
        assert names_index(response, 3)
    assert networks(org) == ["10.9.0.0/16"]


@pytest.mark.parametrize("taken", ["10.9.0.0/16", "10.0.1.0/24"])
def test_an_overlap_in_a_list_is_told_in_the_same_words(org: Org, taken: str) -> None:
    """A network that is there, or is twice in the list, is told as for a single subnet."""
    add_subnet(org, "10.9.0.0/16")
    body = [{"network": network} for network in ("10.0.0.0/16", "10.0.1.0/24", taken)]
    error = refused(org.post("/api/v1/subnets", json=body))["error"]
    assert f"Subnet overlaps with existing subnet {taken}" in error


def test_the_subnets_of_a_list_nest_in_any_order(org: Org) -> None:
    """Children may stand before their parents, and what exists is nested as well."""
    existing = add_subnets(org, ["10.0.0.0/8", "10.0.1.128/25"])
    address = add_address(org, existing["10.0.0.0/8"], "10.0.2.7")
    given = ["10.0.1.0/26", "10.0.0.0/16", "10.0.2.0/24", "10.0.1.0/24"]
    made = created(org.post("/api/v1/subnets", json=[{"network": network} for network in given]))
    assert [subnet["network"] for subnet in made] == given
    by_network = {subnet["network"]: subnet for subnet in made}
    assert children(org, existing["10.0.0.0/8"]) == ["10.0.0.0/16"]
    assert children(org, by_network["10.0.0.0/16"]) == ["10.0.1.0/24", "10.0.2.0/24"]
    assert children(org, by_network["10.0.1.0/24"]) == ["10.0.1.0/26", "10.0.1.128/25"]
    assert ips(org, by_network["10.0.2.0/24"]) == [address["ip"]]


def test_a_list_of_subnets_carries_their_fields(org: Org) -> None:
    """Each item has fields of its own."""
    body = [
        {"network": "10.0.1.0/24", "name": "Web servers", "gateway": "10.0.1.1"},
        {"network": "10.0.2.0/24", "is_pool": True},
    ]
    web, pool = created(org.post("/api/v1/subnets", json=body))
    assert (web["name"], web["gateway"], web["is_pool"]) == ("Web servers", "10.0.1.1", False)
    assert pool["is_pool"] is True
    assert subnet_of(org, web)["name"] == "Web servers"


def test_ten_thousand_addresses_are_created_at_once(org: Org) -> None:
    """The limit itself is allowed."""
    subnet = add_subnet(org, "10.0.0.0/16")
    body = [{"ip": ip} for ip in hosts(LIMIT)]
    made = created(org.post(f"/api/v1/subnets/{subnet['id']}/addresses", json=body))
    assert len({address["id"] for address in made}) == LIMIT
    assert used(org, subnet) == LIMIT
    assert first_free(org, subnet) == "10.0.39.17"


def test_more_than_ten_thousand_addresses_are_refused(org: Org) -> None:
    """One more than the limit is a 400, and nothing is created."""
    subnet = add_subnet(org, "10.0.0.0/16")
    body = [{"ip": ip} for ip in hosts(LIMIT + 1)]
    refused(org.post(f"/api/v1/subnets/{subnet['id']}/addresses", json=body))
    assert used(org, subnet) == 0


def test_ten_thousand_subnets_are_created_at_once(org: Org) -> None:
    """Subnets too come up to ten thousand in a list."""
    parent = add_subnet(org, "10.0.0.0/8")
    body = [{"network": f"10.{n // 256}.{n % 256}.0/24"} for n in range(LIMIT)]
    made = created(org.post("/api/v1/subnets", json=body))
    assert len({subnet["id"] for subnet in made}) == LIMIT
    assert len(children(org, parent)) == LIMIT


def test_more_than_ten_thousand_subnets_are_refused(org: Org) -> None:
    """One more than the limit is a 400, and nothing is created."""
    body = [{"network": f"10.{n // 256}.{n % 256}.0/24"} for n in range(LIMIT + 1)]
    refused(org.post("/api/v1/subnets", json=body))
    assert networks(org) == []


@pytest.mark.parametrize(
    "path", ["/api/v1/sections", "/api/v1/api-keys", "/api/v1/subnets/{subnet}/split"]
)
def test_other_routes_take_no_list(org: Org, path: str) -> None:
    """Only subnets and addresses are created in lists."""
    subnet = add_subnet(org, "10.0.1.0/24")
    refused(org.post(path.format(subnet=subnet["id"]), json=[{"name": "A"}]))
