"""Searches over HTTP: what is found, in which order, and when."""

from __future__ import annotations

from typing import Any

import pytest

from ipcraft.app import Application
from ipcraft.testing.organizations import Organization

HOSTILE = (
    "%", "_", "\\", "'", '"x', "''", "';--", "%_%", "a%", "*", "web*", "AND", "NEAR(web)", "^web",
    "{text}:web", "web OR x", "(", ")", "-web", "+", ":", "::", ":*", "&", "|", "!", "<->", "x:*",
    "\u202eweb", "\u05e9\u05dc", "😀", "a\u200db", "a\x7fb", "\u0301", "\ufeff", "a\u2028b", "{}",
    "$1", "%s", "%(x)s", "?1", "x" * 1000, "a " * 16, '"' * 15, "in:0.0.0.0/0", "in:::/0",
    "free:>99999999999999999999999999", "1" * 999, "10." * 300, "a:" * 400, "é" * 1000, "ﷺ" * 999,
)  # fmt: skip


@pytest.fixture
def subnet(organization: Organization) -> str:
    """Make a subnet of web servers in a larger one and give its id."""
    made = ""
    for network, name in (("10.0.0.0/8", "Root"), ("10.0.1.0/24", "Web servers")):
        answer = organization.client.post(
            "/api/v1/subnets", json={"network": network, "name": name}
        )
        made = answer.json["id"]
    return made


def assign(organization: Organization, subnet: str, *bodies: dict[str, Any]) -> list[str]:
    """Assign addresses and give their ids."""
    answer = organization.client.post(f"/api/v1/subnets/{subnet}/addresses", json=list(bodies))
    assert answer.status_code == 201, answer.text
    return [each["id"] for each in answer.json]


def search(organization: Organization, query: str, **parameters: str) -> dict[str, Any]:
    """Search, and give the answer."""
    answer = organization.client.get("/api/v1/search", params={"q": query, **parameters})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def names(organization: Organization, query: str, **parameters: str) -> list[str]:
    """Give the networks and hostnames (or addresses) found, in order."""
    found = search(organization, query, **parameters)
    return [
        *(each["network"] for each in found["subnets"]),
        *(each["hostname"] or each["ip"] for each in found["addresses"]),
    ]


def test_the_answer_has_what_the_reference_shows(organization: Organization, subnet: str) -> None:
    """Subnets with id, network and name, addresses with id, ip and hostname, and the reading."""
    [address] = assign(organization, subnet, {"ip": "10.0.1.10", "hostname": "web-01.prod"})
    found = search(organization, "web")
    assert {"id": subnet, "network": "10.0.1.0/24", "name": "Web servers"}.items() <= found[
        "subnets"
    ][0].items()
    shown = {"id": address, "ip": "10.0.1.10", "hostname": "web-01.prod"}
    assert shown.items() <= found["addresses"][0].items()
    assert found["interpretation"] == [
        {
            "term": "web",
            "readings": [
                {
                    "kind": "text",
                    "field": None,
                    "value": "web",
                    "meaning": 'any text contains "web"',
                }
            ],
        }
    ]


def test_the_best_come_first(organization: Organization, subnet: str) -> None:
    """What equals the term, then what begins with it, then what contains it; then by address."""
    hosts = ["a-web", "web-1", "WEB", "web-0", "b.web.b"]
    bodies = [{"ip": f"10.0.1.{10 + n}", "hostname": name} for n, name in enumerate(hosts)]
    assign(organization, subnet, *bodies)
    expected = ["10.0.1.0/24", "WEB", "web-1", "web-0", "a-web", "b.web.b"]
    assert names(organization, "web") == expected
    assert names(organization, "web", limit="2") == expected[:3]


def test_the_best_of_very_many_come_first(organization: Organization) -> None:
    """A text that all have does not hide the one that is all of it, wherever it is."""
    root = organization.client.post("/api/v1/subnets", json={"network": "10.0.0.0/16"}).json["id"]
    many = [{"ip": f"10.0.{n // 250}.{n % 250 + 1}", "hostname": f"host-{n}"} for n in range(3000)]
    many[2990]["hostname"] = "host"
    many[2980]["hostname"] = "another-host"
    assign(organization, root, *many)
    found = names(organization, "host", limit="5")
    assert found[0] == "host"
    assert len(found) == 5
    assert "another-host" not in found
    assert names(organization, "another") == ["another-host"]
    assert len(names(organization, "o", limit="1000")) == 1000
    assert (
        names(organization, "st-299", limit="20")
        == [f"host-299{n}" for n in range(1, 10)] + ["host-299"]
        or len(names(organization, "st-299", limit="20")) == 10
    )


def test_addresses_and_networks_are_found_as_places(
    organization: Organization, subnet: str
) -> None:
    """An address: it and the subnets around it, smallest first. A network: it and all inside."""
    assign(organization, subnet, {"ip": "10.0.1.7"}, {"ip": "10.0.1.70"})
    assert names(organization, "10.0.1.7") == ["10.0.1.0/24", "10.0.0.0/8", "10.0.1.7"]
    assert names(organization, "10.0.1.0/24") == ["10.0.1.0/24", "10.0.1.7", "10.0.1.70"]
    assert names(organization, "10.0.0.0/8") == [
        "10.0.0.0/8", "10.0.1.0/24", "10.0.1.7", "10.0.1.70",
    ]  # fmt: skip
    assert names(organization, "10.0.1.64/26") == ["10.0.1.70"]


@pytest.mark.parametrize(
    "notation",
    ["00:1a:2b:3c:4d:5e", "00-1A-2B-3C-4D-5E", "001a.2b3c.4d5e", "001A2B3C4D5E", "00:1a:2b"],
)
def test_a_mac_address_is_found_in_any_notation(
    organization: Organization, subnet: str, notation: str
) -> None:
    """However it was written, and by its beginning."""
    assign(
        organization,
        subnet,
        {"ip": "10.0.1.7", "mac_address": "001a.2b3c.4d5e"},
        {"ip": "10.0.1.8", "mac_address": "021a.2b3c.4d5e"},
    )
    assert names(organization, notation) == ["10.0.1.7"]


def test_all_terms_must_match(organization: Organization, subnet: str) -> None:
    """A second term narrows, a field more so."""
    assign(
        organization,
        subnet,
        {"ip": "10.0.1.7", "hostname": "web-1", "owner": "net", "status": "dhcp"},
        {"ip": "10.0.1.8", "hostname": "web-2", "description": "net 10.0.1.7"},
        {"ip": "10.0.1.9", "hostname": "net"},
    )
    assert names(organization, "web net") == ["web-1", "web-2"]
    assert names(organization, "web owner:net") == ["web-1"]
    assert names(organization, "in:10.0.1.0/24 status:active net") == ["net", "web-2"]
    assert names(organization, "status:dhcp") == ["web-1"]
    assert names(organization, "10.0.1.7 web") == ["10.0.1.0/24", "web-1", "web-2"]


def test_a_change_is_found_at_once(organization: Organization, subnet: str) -> None:
    """What is created, changed, taken and deleted is found, or not, by the next search."""
    client = organization.client
    [address] = assign(organization, subnet, {"ip": "10.0.1.7", "hostname": "alpha"})
    assert names(organization, "alpha") == ["alpha"]
    client.patch(f"/api/v1/addresses/{address}", json={"hostname": "beta"})
    assert names(organization, "alpha") == []
    assert names(organization, "beta") == ["beta"]
    client.patch(f"/api/v1/addresses/{address}", json={"hostname": None, "status": "offline"})
    assert names(organization, "beta") == []
    assert names(organization, "offline") == ["10.0.1.7"]
    client.delete(f"/api/v1/addresses/{address}")
    assert names(organization, "offline") == []
    client.post(f"/api/v1/subnets/{subnet}/first-free", json={"hostname": "gamma", "count": 2})
    assert names(organization, "gamma") == ["gamma", "gamma"]
    client.patch(f"/api/v1/subnets/{subnet}", json={"name": "Delta"})
    assert names(organization, "delta") == ["10.0.1.0/24"]
    client.delete(f"/api/v1/subnets/{subnet}")
    assert names(organization, "gamma") == names(organization, "delta") == []


def test_hostile_searches_are_answered(organization: Organization, subnet: str) -> None:
    """Whatever is typed is looked for as it is, or refused in words."""
    hostnames = [query.strip()[:200] for query in HOSTILE]
    bodies = [{"ip": f"10.0.1.{n + 1}", "hostname": name} for n, name in enumerate(hostnames)]
    assign(organization, subnet, *bodies)
    for query, hostname in zip(HOSTILE, hostnames, strict=True):
        answer = organization.client.get("/api/v1/search", params={"q": query})
        assert answer.status_code in (200, 400), (query, answer.text)
        bare = hostname.replace('"', "")
        if bare:
            assert hostname in names(organization, f'"{bare}"', limit="1000"), query


@pytest.mark.parametrize("query", ["?q=", "", "?q=%00", "?q=a&q=b", "?q=a&limit=0", "?q=a&limit=x"])
def test_what_is_no_search_is_refused(organization: Organization, query: str) -> None:
    """Without a search, with two, with a NUL or a bad limit there is a 400."""
    assert organization.client.get(f"/api/v1/search{query}").status_code == 400


def test_viewers_search_and_strangers_find_nothing(
    application: Application, organization: Organization, subnet: str
) -> None:
    """Who may look may search; what belongs to others is as if it were not there."""
    assign(organization, subnet, {"ip": "10.0.1.7", "hostname": "web"})
    viewer = organization.client_as(application, "viewer")
    assert viewer.get("/api/v1/search", params={"q": "web"}).json["addresses"]
