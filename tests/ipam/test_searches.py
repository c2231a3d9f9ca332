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


@pytest.fixture
def campus(organization: Organization) -> dict[str, str]:
    """Make a VLAN, a VRF and a folder with subnets in and around them, and hosts; give the ids."""
    post = organization.client.post
    made: dict[str, str] = {}
    for path, name, body in (
        ("vlans", "guests", {"number": 120, "name": "Guests"}),
        ("vlans", "staff", {"number": 121, "name": "Guests' staff"}),
        ("vrfs", "blue", {"name": "Blue", "rd": "65000:1"}),
        ("sections", "office", {"name": "Head Office"}),
    ):
        made[name] = post(f"/api/v1/{path}", json=body).json["id"]
    for network, references in (
        ("10.0.0.0/8", {}),
        ("10.1.0.0/16", {"vlan_id": made["guests"]}),
        ("10.1.1.0/24", {"section_id": made["office"]}),
        ("10.2.0.0/16", {"vlan_id": made["staff"], "section_id": made["office"]}),
        ("10.1.0.0/16", {"vrf_id": made["blue"]}),
    ):
        body = {"network": network, **references}
        subnet = post("/api/v1/subnets", json=body).json["id"]
        base = network.rpartition(".")[0]
        bodies = [{"ip": f"{base}.{n}", "hostname": f"host-{n}"} for n in (7, 8)]
        assert post(f"/api/v1/subnets/{subnet}/addresses", json=bodies).status_code == 201
    return made


def places(organization: Organization, query: str) -> list[str]:
    """Give the networks and addresses found, in order."""
    found = search(organization, query)
    return [*(each["network"] for each in found["subnets"]), *(a["ip"] for a in found["addresses"])]


@pytest.mark.usefixtures("campus")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("vlan:120", ["10.1.0.0/16", "10.1.0.7", "10.1.0.8", "10.1.1.7", "10.1.1.8"]),
        ("vlan:guests", ["10.1.0.0/16", "10.1.0.7", "10.1.0.8", "10.1.1.7", "10.1.1.8"]),
        ("vlan:12", []),
        ("vlan:staff hostname:host-7", ["10.2.0.7"]),
        ("vlan:120 section:office", ["10.1.1.7", "10.1.1.8"]),
        ("vlan:120 in:10.1.1.0/24 host-8", ["10.1.1.8"]),
        ("vlan:120 10.1.1.7", ["10.1.0.0/16", "10.1.1.7"]),
        ("vlan:120 in:10.2.0.0/16", []),
        ("vlan:120 vrf:blue", []),
        ("vrf:blue", ["10.1.0.0/16", "10.1.0.7", "10.1.0.8"]),
        ("vrf:65000:1 10.1.0.7", ["10.1.0.0/16", "10.1.0.7"]),
        ("vrf:global 10.1.0.7", ["10.1.0.0/16", "10.0.0.0/8", "10.1.0.7"]),
        ("section:office free:<=252", ["10.1.1.0/24"]),
        ("folder:head vlan:121", ["10.2.0.0/16", "10.2.0.7", "10.2.0.8"]),
        ("vlan:120 free:>300", ["10.1.0.0/16"]),
        ("hostname:host status:active vlan:120 in:10.0.0.0/8 free:>300", ["10.1.0.7", "10.1.0.8"]),
        ("status:active free:252 vrf:global", ["10.1.1.7", "10.1.1.8"]),
        ("status:active free:>252 free:<60000", []),
    ],
)
def test_what_is_in_a_vlan_a_vrf_or_a_folder_is_found(
    organization: Organization, query: str, expected: list[str]
) -> None:
    """Its subnets, and all addresses in these, those of subnets inside too; with other terms."""
    assert places(organization, query) == expected


def test_vlans_vrfs_and_folders_are_found_themselves(
    organization: Organization, campus: dict[str, str]
) -> None:
    """By number, name, route distinguisher and description, as their lists show them."""
    for query, kind, expected in (
        ("120", "vlans", ["guests"]),
        ("guests", "vlans", ["guests", "staff"]),
        ("vlan:121", "vlans", ["staff"]),
        ("65000:1", "vrfs", ["blue"]),
        ("vrf:blue", "vrfs", ["blue"]),
        ("head office", "sections", ["office"]),
        ("name:office", "sections", ["office"]),
        ("hostname:office", "sections", []),
    ):
        shown = search(organization, query)[kind]
        assert [each["id"] for each in shown] == [campus[name] for name in expected], query
        assert all(
            each == organization.client.get(f"/api/v1/{kind}/{each['id']}").json for each in shown
        )
    assert len(search(organization, "guests", limit="1")["vlans"]) == 1
    organization.client.patch(f"/api/v1/vlans/{campus['staff']}", json={"name": "Printers"})
    assert [each["name"] for each in search(organization, "printers")["vlans"]] == ["Printers"]


@pytest.mark.usefixtures("campus")
@pytest.mark.parametrize(
    ("query", "meaning", "hint"),
    [
        ("vlan:120", "in the VLAN 120 Guests", None),
        ("vlan:guest", "in one of 2 VLANs: 120 Guests, 121 Guests' staff", None),
        ("vlan:9", 'in the VLAN "9", which there is not', "there is no VLAN 9"),
        ("vrf:bleu", 'in the VRF "bleu", which there is not',
         'there is no VRF bleu; did you mean "blue"?'),
        ("section:hd", 'in the folder "hd", which there is not', "there is no folder hd"),
    ],
)  # fmt: skip
def test_the_interpretation_names_those_meant(
    organization: Organization, query: str, meaning: str, hint: str | None
) -> None:
    """And says when there is none, and which one may be meant."""
    [term] = search(organization, query)["interpretation"]
    [reading] = term["readings"]
    assert (reading["meaning"], term.get("hint")) == (meaning, hint)
    assert reading["kind"] == reading["field"] == query.partition(":")[0]


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("host hostname:host name:office", "nothing has both hostname: and name:"),
        ("network:10.0.0.0/8 free:0 mac:00", "nothing has both network: and mac:"),
        ("hostname:host free:>5 vlan:1", "there is no VLAN 1"),
    ],
)
def test_fields_that_nothing_has_together_are_told(
    organization: Organization, query: str, hint: str
) -> None:
    """An answer without anything says why, at the last term."""
    *others, last = search(organization, query)["interpretation"]
    assert (last.get("hint"), [each for each in others if "hint" in each]) == (hint, [])


def test_what_is_in_very_many_subnets_of_a_folder_is_found(organization: Organization) -> None:
    """However many these are, and when only the last of them has it."""
    post = organization.client.post
    section = post("/api/v1/sections", json={"name": "all"}).json["id"]
    other = post("/api/v1/sections", json={"name": "other"}).json["id"]
    networks = [f"10.{n // 250}.{n % 250}.0/24" for n in range(2100)]
    bodies = [
        {"network": network, "section_id": other if network == "10.3.0.0/24" else section}
        for network in networks
    ]
    made = post("/api/v1/subnets", json=bodies).json
    for network in ("10.8.98.0/24", "10.3.0.0/24"):
        [subnet] = [each["id"] for each in made if each["network"] == network]
        assign(organization, subnet, {"ip": network[:-4] + "7", "hostname": "host"})
    assert len(search(organization, "section:all", limit="1000")["subnets"]) == 1000
    for query in ("section:all", "section:all host", "section:all in:10.0.0.0/8", "folder:all 10."):
        shown = search(organization, query)["addresses"]
        assert [each["ip"] for each in shown] == ["10.8.98.7"], query
