"""Searches find exactly what a plain look at every record finds."""

from __future__ import annotations

import ipaddress
from itertools import product
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipcraft.app import Application
from ipcraft.testing.organizations import Organization, make_organization
from ipcraft_ipam.addresses import STATUSES

from .search_model import ADDRESS_TEXTS, Records, Sought, text_rank

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
NETWORKS = ("10.0.0.0/8", "10.0.1.0/24", "10.0.1.128/25", "10.2.0.0/30", "2001:db8::/64")
PLACES = ("10.0.1.7", "10.0.1.130", "10.0.3.4", "10.2.0.1", "2001:db8::7", "2001:db8::a:0")
MACS = ("00:1a:2b:3c:4d:5e", "001A.2BFF.0001", "AC-DE-48-00-11-22")

letters = st.sampled_from([*"webWE-_%'\\1éÉßﬀ中😀@&|*", "\u05d0", "e\u0301", ":*"])
words = st.lists(letters, min_size=1, max_size=9).map("".join) | st.sampled_from(
    ["web", "web-01.prod", "active", "tive", "dhcp", "Web Servers", "web web", "eb-0"]
)
texts = st.none() | words
fragments = words.flatmap(
    lambda word: st.integers(0, len(word) - 1).flatmap(
        lambda start: st.integers(start + 1, len(word)).map(lambda end: word[start:end])
    )
)


REGISTERS: dict[str, list[dict[str, Any]]] = {
    "vlans": [
        {"number": 120, "name": "web"},
        {"number": 120, "name": "Web é"},
        {"number": 12, "name": "office", "description": "web"},
    ],
    "vrfs": [{"name": "Blue", "rd": "65000:1"}, {"name": "blue web"}],
    "sections": [{"name": "Web Servers"}, {"name": "DMZ", "description": "office"}],
}


@st.composite
def subnet_bodies(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Draw some subnets; `vrf`, `vlan` and `section` are places in `REGISTERS`."""
    places = {
        (network, vrf): None
        for vrf in (None, *draw(st.sets(st.sampled_from([0, 1]))))
        for network in (
            *(NETWORKS[0], NETWORKS[4]),
            *draw(st.lists(st.sampled_from(NETWORKS[1:]), unique=True, max_size=4)),
        )
    }
    return [
        {
            "network": network,
            "name": draw(texts),
            "description": draw(texts),
            "vrf": vrf,
            "vlan": draw(st.none() | st.integers(0, 2)),
            "section": draw(st.none() | st.integers(0, 1)),
        }
        for network, vrf in places
    ]


@st.composite
def address_bodies(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Draw some addresses."""
    return [
        {
            "ip": ip,
            "hostname": draw(texts),
            "owner": draw(texts),
            "description": draw(texts),
            "mac_address": draw(st.none() | st.sampled_from(MACS)),
            "status": draw(st.sampled_from(STATUSES)),
        }
        for ip in draw(st.lists(st.sampled_from(PLACES), unique=True))
    ]


def quoted(text: str, field: str | None = None) -> Sought:
    """Ask for a text."""
    typed = f'"{text}"' if field is None else f'{field}:"{text}"'
    return Sought(typed, text=text, within=field)


def networks(text: str) -> st.SearchStrategy[Sought]:
    """Ask for a network and what is in it."""
    network = ipaddress.ip_network(text, strict=False)
    return st.sampled_from([Sought(f"in:{text}", network=network)])


called = st.sampled_from(
    [
        Sought("vlan:120", called=("vlans", "120")),
        Sought("vlan:0012", called=("vlans", "12")),
        Sought("vlan:web", called=("vlans", "web")),
        Sought("vlan:e", called=("vlans", "e")),
        Sought('vlan:"12"', called=("vlans", "no vlan is called 12")),
        Sought("vrf:blue", called=("vrfs", "blue")),
        Sought("vrf:65000:1", called=("vrfs", "65000:1")),
        Sought("vrf:web", called=("vrfs", "web")),
        Sought("vrf:global", called=("vrfs", "global")),
        Sought("section:dmz", called=("sections", "dmz")),
        Sought('folder:"b ser"', called=("sections", "b ser")),
    ]
)
free = st.integers(0, 300).flatmap(
    lambda number: st.sampled_from(
        [
            Sought(f"free:>{number}", free=range(number + 1, 2**130)),
            Sought(f"free:<={number}", free=range(number + 1)),
            Sought(f"free:{number}", free=range(number, number + 1)),
        ]
    )
)
terms = (
    fragments.filter(lambda text: bool(text.strip())).map(quoted)
    | st.builds(quoted, fragments.filter(lambda text: bool(text.strip())),
                st.sampled_from(["hostname", "owner", "description", "name"]))
    | st.sampled_from([*NETWORKS, "10.0.1.7/32", "10.0.0.0/15"]).flatmap(networks)
    | st.sampled_from([Sought("mac:00-1A-2b", digits="001a2b"),
                       Sought("mac:001a.2bff.0001", digits="001a2bff0001"),
                       Sought("mac:a", digits="a")])
    | st.sampled_from(STATUSES).map(lambda status: Sought(f"status:{status}", status=status))
    | free
    | called
    | called
)  # fmt: skip


searches = st.lists(st.lists(terms, min_size=1, max_size=3), min_size=6, max_size=16)


def filled(
    application: Application, subnets: list[Any], addresses: list[Any]
) -> tuple[Organization, Records]:
    """Make an organization that has these, the addresses in each VRF."""
    organization = make_organization(application)
    client = organization.client
    registers: dict[str, list[Any]] = {
        kind: [created(organization, kind, body) for body in bodies]
        for kind, bodies in REGISTERS.items()
    }
    for body in subnets:
        references = {
            f"{name}_id": None if place is None else registers[f"{name}s"][place]["id"]
            for name, place in ((name, body.get(name)) for name in ("vrf", "vlan", "section"))
        }
        own = {name: body[name] for name in ("network", "name", "description") if name in body}
        created(organization, "subnets", {**own, **references})
    for root in (each for each in client.get("/api/v1/subnets").json if each["parent_id"] is None):
        mine = [each for each in addresses if (":" in each["ip"]) == (":" in root["network"])]
        created(organization, f"subnets/{root['id']}/addresses", mine)
    records = Records(
        client.get("/api/v1/subnets").json, client.get("/api/v1/addresses").json, registers
    )
    return organization, records


def created(organization: Organization, path: str, body: Any) -> Any:
    """Create something and give it."""
    answer = organization.client.post(f"/api/v1/{path}", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json


def search(organization: Organization, sought: list[Sought], *, limit: int) -> dict[str, Any]:
    """Search for all terms."""
    query = {"q": " ".join(term.typed for term in sought), "limit": str(limit)}
    answer = organization.client.get("/api/v1/search", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def ids(records: list[dict[str, Any]]) -> list[str]:
    """Give the ids, sorted."""
    return sorted(record["id"] for record in records)


def test_a_search_finds_what_a_plain_look_finds(application: Application) -> None:
    """All of it, or as many as asked for; a single text's best matches come first."""
    web = {"ip": "10.0.1.7", "hostname": "web", "owner": "é", "mac_address": MACS[0]}
    other, _ = filled(application, [{"network": NETWORKS[0], "name": "web", "vlan": 0}], [web])
    assert other.client.get("/api/v1/search", params={"q": "web"}).json["addresses"]

    @settings(max_examples=12, deadline=None, suppress_health_check=SLOW)
    @given(subnet_bodies(), address_bodies(), searches)
    def check(subnets: list[Any], addresses: list[Any], searches: list[list[Sought]]) -> None:
        organization, records = filled(application, subnets, addresses)
        for sought, limit in product(searches, (1000, 2)):
            compare(records, sought, search(organization, sought, limit=limit), limit=limit)

    check()


def compare(records: Records, sought: list[Sought], found: dict[str, Any], *, limit: int) -> None:
    """Compare what was found with what there is."""
    for kind in ("addresses", "subnets", *REGISTERS):
        every = records.matching(kind, sought)
        assert set(ids(found[kind])) <= set(ids(every)), (sought, kind)
        assert len(found[kind]) == min(len(every), limit), (sought, kind)
    if len(sought) == 1 and sought[0].text is not None:
        expected = records.matching("addresses", sought)
        ranks = [text_rank(each, sought[0], ADDRESS_TEXTS) for each in found["addresses"]]
        best = sorted(text_rank(each, sought[0], ADDRESS_TEXTS) or 0 for each in expected)
        assert ranks == best[:limit], sought
