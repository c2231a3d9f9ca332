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


@st.composite
def subnet_bodies(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Draw some subnets."""
    chosen = draw(st.lists(st.sampled_from(NETWORKS[1:]), unique=True, max_size=4))
    around = [NETWORKS[0], NETWORKS[4]]
    return [
        {"network": network, "name": draw(texts), "description": draw(texts)}
        for network in dict.fromkeys([*around, *chosen])
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
)  # fmt: skip


searches = st.lists(st.lists(terms, min_size=1, max_size=3), min_size=6, max_size=16)


def filled(application: Application, subnets: list[Any], addresses: list[Any]) -> Organization:
    """Make an organization that has these."""
    organization = make_organization(application)
    for body in subnets:
        assert organization.client.post("/api/v1/subnets", json=body).status_code == 201
    found = organization.client.get("/api/v1/subnets").json
    for root in (each for each in found if each["parent_id"] is None):
        mine = [each for each in addresses if (":" in each["ip"]) == (":" in root["network"])]
        path = f"/api/v1/subnets/{root['id']}/addresses"
        assert organization.client.post(path, json=mine).status_code == 201
    return organization


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
    other = filled(application, [{"network": NETWORKS[0], "name": "web"}], [web])
    assert other.client.get("/api/v1/search", params={"q": "web"}).json["addresses"]

    @settings(max_examples=12, deadline=None, suppress_health_check=SLOW)
    @given(subnet_bodies(), address_bodies(), searches)
    def check(subnets: list[Any], addresses: list[Any], searches: list[list[Sought]]) -> None:
        organization = filled(application, subnets, addresses)
        get = organization.client.get
        records = Records(get("/api/v1/subnets").json, get("/api/v1/addresses").json)
        for sought, limit in product(searches, (1000, 2)):
            compare(records, sought, search(organization, sought, limit=limit), limit=limit)

    check()


def compare(records: Records, sought: list[Sought], found: dict[str, Any], *, limit: int) -> None:
    """Compare what was found with what there is."""
    expected = records.matching_addresses(sought)
    for kind, every in (("addresses", expected), ("subnets", records.matching_subnets(sought))):
        assert set(ids(found[kind])) <= set(ids(every)), (sought, kind)
        assert len(found[kind]) == min(len(every), limit), (sought, kind)
    if len(sought) == 1 and sought[0].text is not None:
        ranks = [text_rank(each, sought[0], ADDRESS_TEXTS) for each in found["addresses"]]
        best = sorted(text_rank(each, sought[0], ADDRESS_TEXTS) or 0 for each in expected)
        assert ranks == best[:limit], sought
