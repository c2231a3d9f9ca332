"""A search reads little, however many rows have what is looked for, and whose they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from ipcraft.ids import new_id
from ipcraft.testing.applications import make_application
from ipcraft.testing.services import PostgreSQL
from ipcraft_ipam.addresses import STATUSES
from ipcraft_ipam.networks import parse_address, to_bytes
from ipcraft_ipam.search.candidates import question
from ipcraft_ipam.search.finding import _readings
from ipcraft_ipam.search.grammar import parse
from ipcraft_ipam.search.grams import ADDRESS_TAGS
from ipcraft_ipam.search.readings import TextReading
from ipcraft_ipam.search.slots import values
from ipcraft_ipam.search.statements import Source, by_mac_address, by_place, by_text, statement
from ipcraft_ipam.searchable import address_text
from ipcraft_ipam.tables import addresses

from .explaining import Link, copy, walk
from .explaining import explain as explain_as

LARGE, SMALL = new_id("org"), new_id("org")
ASSIGNED = 60_000
FIRST = parse_address("10.0.0.0")

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
    """Write so many addresses with a hostname."""
    hostnames = [f"{role}-{number}.example" for number in range(count)]
    copy(
        link,
        "addresses (organization_id, id, vrf_id, ip, subnet_id, hostname, mac_address, status, "
        "created_at, updated_at, search_text)",
        [
            (organization_id, new_id("addr"), "", to_bytes(FIRST + number), "", hostname,
             f"00:1A:2B:{number:06X}", "active", 0, 0,
             address_text(hostname=hostname, owner=None, description=None, status="active"))
            for number, hostname in enumerate(hostnames)
        ],
    )  # fmt: skip


def explain(
    link: Link, query: str, source: Source, organization_id: str = LARGE, **where: Any
) -> dict[str, Any]:
    """Run one step of a search, and give its plan with what it read."""
    readings = [_readings(addresses, term) for term in parse(query, statuses=STATUSES)]
    texts = [each.pattern for term in readings for each in term if isinstance(each, TextReading)]
    if texts:
        where |= question(texts, ADDRESS_TAGS, organization_id=organization_id, enough=50)
    parameters = {**values(addresses, readings), "limit": 50, **where}
    return explain_as(
        link, statement(addresses, source, 1), parameters, plan="auto", organization=organization_id
    )


def pages(plan: dict[str, Any]) -> int:
    """Give the number of pages that were read, by functions too."""
    number: int = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    return number


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
        link, "in:10.0.0.0/8", by_place, most_candidates=50, walk_vrf_id="",
        walk_first=to_bytes(FIRST), walk_last=to_bytes(FIRST + ASSIGNED),
    )  # fmt: skip
    assert pages(plan) < FEW + 300
    assert "Seq Scan" not in {node["Node Type"] for node in walk(plan)}


def test_a_mac_address_is_looked_up(link: Link) -> None:
    """All that begin so are in one range of the index."""
    plan = explain(
        link, "mac:001a2b000007", by_mac_address, most_candidates=50,
        walk_first="00:1A:2B:000007", walk_last="00:1A:2B:000007~",
    )  # fmt: skip
    assert pages(plan) < FEW
