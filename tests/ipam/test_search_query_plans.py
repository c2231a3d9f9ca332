"""A search reads little, however many rows have what is looked for, and whose they are."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from sqlalchemy import Table, make_url

from ipcraft.ids import new_id
from ipcraft.testing.applications import make_application
from ipcraft.testing.services import PostgreSQL
from ipcraft_ipam.addresses import STATUSES
from ipcraft_ipam.networks import parse_address, to_bytes
from ipcraft_ipam.search.candidates import question
from ipcraft_ipam.search.grammar import Term, parse
from ipcraft_ipam.search.grams import ADDRESS_TAGS
from ipcraft_ipam.search.kinds import Kind, readings_of
from ipcraft_ipam.search.listing import listed
from ipcraft_ipam.search.readings import RegisterReading, TextReading
from ipcraft_ipam.search.slots import shape_of, unused, values
from ipcraft_ipam.search.statements import (
    MEMBERS,
    Source,
    by_mac_address,
    by_text,
    by_vlan,
    statement,
)
from ipcraft_ipam.search.walks import by_place, in_subnets
from ipcraft_ipam.searchable import address_text
from ipcraft_ipam.tables import addresses, subnets

from .explaining import Link, copy, walk
from .explaining import explain as explain_as

LARGE, SMALL = new_id("org"), new_id("org")
ASSIGNED = 60_000
FIRST = parse_address("10.0.0.0")
VLAN = new_id("vlan")
EMPTY = 5_000
"""Subnets without an address."""

FEW, SOME = 150, 3_000
"""Pages of 8 KiB a search may touch: for what few have, and for what all have."""


@pytest.fixture(scope="module")
def link(postgresql: PostgreSQL) -> Iterator[Link]:
    """Give a connection to a database with an organization of many hosts and one of a few."""
    url = postgresql.create_database(superuser=True)
    make_application(url).storage.close()
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg.connect(address, autocommit=True)) as connection:
        fill(connection, LARGE, ASSIGNED, "web")
        fill(connection, SMALL, 300, "db")
        connection.execute("VACUUM ANALYZE")
        yield connection
    postgresql.drop_database(url)


def fill(link: Link, organization_id: str, count: int, role: str) -> None:
    """Write so many addresses with a hostname in /24s, one in ten of which is in the VLAN."""
    root = new_id("sub")
    homes = [new_id("sub") for _ in range(-(-count // 256) + EMPTY)]
    copy(
        link,
        "subnets (organization_id, id, vrf_id, first, last, prefix_length, parent_id, vlan_id, "
        "is_pool, created_at, updated_at)",
        [
            (organization_id, root, "", to_bytes(FIRST), to_bytes(FIRST + 2**24 - 1), 8, "", None,
             False, 0, 0),
            *(
                (organization_id, home, "", to_bytes(FIRST + 256 * number),
                 to_bytes(FIRST + 256 * number + 255), 24, root,
                 VLAN if number * 256 < count and number % 10 == 0 else None, False, 0, 0)
                for number, home in enumerate(homes)
            ),
        ],
    )  # fmt: skip
    copy(
        link,
        "subnet_usage (organization_id, vrf_id, first, last, slot, used)",
        [
            (organization_id, "", to_bytes(FIRST + 256 * number),
             to_bytes(FIRST + 256 * number + 255), 0, 256)
            for number in range(-(-count // 256))
        ],
    )  # fmt: skip
    hostnames = [f"{role}-{number}.example" for number in range(count)]
    copy(
        link,
        "addresses (organization_id, id, vrf_id, ip, subnet_id, hostname, mac_address, status, "
        "created_at, updated_at, search_text)",
        [
            (organization_id, new_id("addr"), "", to_bytes(FIRST + number), homes[number // 256],
             hostname, f"00:1A:2B:{number:06X}", "active", 0, 0,
             address_text(hostname=hostname, owner=None, description=None, status="active"))
            for number, hostname in enumerate(hostnames)
        ],
    )  # fmt: skip


def explain(
    link: Link,
    query: str,
    source: Source,
    organization_id: str = LARGE,
    *,
    table: Table = addresses,
    known: Collection[int] = (),
    **where: Any,
) -> dict[str, Any]:
    """Run one step of a search, and give its plan with what it read."""
    kind: Kind = "addresses" if table is addresses else "subnets"
    readings = [readings_of(kind, meant(term)) for term in parse(query, statuses=STATUSES)]
    texts = [each.pattern for term in readings for each in term if isinstance(each, TextReading)]
    if texts:
        where |= question(texts, ADDRESS_TAGS, organization_id=organization_id, enough=50)
    shape = shape_of(table.name, readings, known=known)
    parameters = {**values(table.name, readings), **unused(known), "limit": 50, **where}
    return explain_as(
        link,
        statement(table, source, shape),
        parameters,
        plan="auto",
        organization=organization_id,
    )


def meant(term: Term) -> Term:
    """Say that the VLAN is meant."""
    readings = [
        replace(each, ids=(VLAN,)) if isinstance(each, RegisterReading) else each
        for each in term.readings
    ]
    return replace(term, readings=tuple(readings))


def pages(plan: dict[str, Any]) -> int:
    """Give the number of pages that were read, by functions too."""
    number: int = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    return number


def scanned(plan: dict[str, Any]) -> set[str]:
    """Give the tables that are read from end to end."""
    return {node["Relation Name"] for node in walk(plan) if node["Node Type"] == "Seq Scan"}


@pytest.mark.parametrize("query", ["59999", "zzzz", "zq", "ü", "owner:web", "hostname:-777"])
def test_what_few_have_is_found_in_few_pages(link: Link, query: str) -> None:
    """The index leads there, for one letter as for many."""
    assert pages(explain(link, query, by_text)) < FEW


@pytest.mark.parametrize("query", ["web-", "examp", "e", "we", "0.example"])
def test_what_all_have_is_read_in_part(link: Link, query: str) -> None:
    """A sample answers: so many rows, not all."""
    plan = explain(link, query, by_text)
    assert pages(plan) < SOME
    [candidates] = [node for node in walk(plan) if node["Node Type"] == "Function Scan"]
    assert 50 <= candidates["Actual Rows"] < ASSIGNED / 20


@pytest.mark.parametrize("query", ["web-", "we", "w", "eb-5"])
def test_what_others_have_costs_nothing(link: Link, query: str) -> None:
    """A tenant without it reads no more pages for what each row of a neighbour has."""
    nowhere = explain(link, "z" * len(query), by_text, SMALL)
    assert abs(pages(explain(link, query, by_text, SMALL)) - pages(nowhere)) < 10


def test_a_walk_ends_when_it_has_enough(link: Link) -> None:
    """A network of all addresses is read from its start, in order, without a sort of all."""
    plan = explain(
        link, "in:10.0.0.0/8", by_place, most_candidates=50, walk_ids=None,
        walk_first=to_bytes(FIRST), walk_last=to_bytes(FIRST + ASSIGNED),
    )  # fmt: skip
    assert pages(plan) < FEW + 300
    assert "addresses" not in scanned(plan)


def test_a_mac_address_is_looked_up(link: Link) -> None:
    """All that begin so are in one range of the index."""
    plan = explain(
        link, "mac:001a2b000007", by_mac_address, most_candidates=50,
        walk_first="00:1A:2B:000007", walk_last="00:1A:2B:000007~",
    )  # fmt: skip
    assert pages(plan) < FEW


MANY = 2**31 - 1


def test_the_subnets_of_a_vlan_are_looked_up(link: Link) -> None:
    """Its index leads to them, to give them and to walk through them."""
    plan = explain(
        link, "vlan:120 free:>5", by_vlan, table=subnets, walk_ids=listed([VLAN]),
        most_candidates=MANY,
    )  # fmt: skip
    parameters = {"walk_ids": listed([VLAN]), "most_candidates": MANY}
    members = explain_as(link, MEMBERS["vlan"], parameters, plan="auto", organization=LARGE)
    for each in (plan, members):
        assert pages(each) < FEW
        assert "subnets" not in scanned(each)


def test_the_addresses_of_a_vlan_are_walked_through(link: Link) -> None:
    """Those in its subnets are read, and no others."""
    with closing(psycopg.ClientCursor(link)) as cursor:
        cursor.execute("SELECT id FROM subnets WHERE organization_id = %s AND vlan_id = %s",
                       [LARGE, VLAN])  # fmt: skip
        ids = [row[0] for row in cursor.fetchall()]
    plan = explain(
        link, "vlan:120 hostname:99", in_subnets, known=(0,), most_candidates=MANY,
        walk_ids=listed(ids), walk_first=b"", walk_last=b"\xff",
    )  # fmt: skip
    assert scanned(plan) == set()
    assert pages(plan) < SOME
    [read] = [node for node in walk(plan) if node.get("Relation Name") == "addresses"
              and node["Actual Loops"] == len(ids)]  # fmt: skip
    assert read["Actual Rows"] <= 256


def test_the_free_addresses_around_what_was_found_are_counted(link: Link) -> None:
    """Each home is looked up once, and its counters are one range."""
    plan = explain(link, "hostname:web free:<50", by_text)
    assert scanned(plan) == set()
    assert pages(plan) < 3 * SOME


@pytest.mark.parametrize("query", ["vlan:120 web-", "vlan:120 hostname:web in:10.0.0.0/8"])
def test_the_vlans_around_what_was_found_are_looked_up(link: Link, query: str) -> None:
    """Each step up from an address is a look by its key; no table is read from end to end."""
    plan = explain(link, query, by_text)
    assert scanned(plan) == set()
    assert pages(plan) < 3 * SOME
