"""Among many events, what is done often reads a few rows, under row-level security too."""

# pyright: reportArgumentType=false, reportCallIssue=false
# The statements here are put together from our own names; psycopg asks for literals.

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url, select

from ipcraft.data.statements import Statement
from ipcraft.events import dispatch, gauges, moments, reading, retention, sequences
from ipcraft.ids import new_id
from ipcraft.jobs import gauges as job_gauges
from ipcraft.jobs import orders
from ipcraft.testing.applications import make_application
from ipcraft.testing.services import PostgreSQL
from ipcraft_activity import entries
from ipcraft_postgresql.sessions import DIALECT
from ipcraft_postgresql.storage import _AS_TENANT, _AS_WRITING_TENANT

Link = psycopg.Connection[tuple[Any, ...]]

ORGANIZATION = new_id("org")
EVENTS = 60_000
WAITING = 10
ORGANIZATIONS = 3000
JOBS = 20_000
START = 1_700_000_000

BLOCKS = 400
"""Pages of 8 KiB a statement may touch; the tables have thousands."""

SORTED = 300
"""Rows a statement may sort."""


@pytest.fixture(scope="module")
def link(postgresql: PostgreSQL) -> Iterator[Link]:
    """Give a connection to a database with one busy organization and many quiet ones."""
    url = postgresql.create_database(superuser=True)
    make_application(url).storage.close()
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg.connect(address, autocommit=True)) as connection:
        fill(connection)
        connection.execute("VACUUM ANALYZE")
        yield connection
    postgresql.drop_database(url)


@pytest.fixture
def imported(postgresql: PostgreSQL) -> Iterator[Link]:
    """Give a connection to a database that was analyzed while all events waited, never since."""
    url = postgresql.create_database(superuser=True)
    make_application(url).storage.close()
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg.connect(address, autocommit=True)) as connection:
        connection.execute("ALTER TABLE events SET (autovacuum_enabled = off)")
        rows = [event(ORGANIZATION, number)[:-1] for number in range(EVENTS // 4)]
        copy(
            connection,
            "events (organization_id, id, type, resource_id, actor, label, details, data, "
            "created_at)",
            rows,
        )
        connection.execute("ANALYZE")
        connection.execute(
            "UPDATE events SET sequence = substr(id, 5)::bigint + 1 "
            "WHERE substr(id, 5)::bigint < %s",
            (EVENTS // 4 - WAITING,),
        )
        connection.execute(
            "INSERT INTO event_streams (organization_id, last) VALUES (%s, %s)",
            (ORGANIZATION, EVENTS // 4 - WAITING),
        )
        yield connection
    postgresql.drop_database(url)


def fill(link: Link) -> None:
    """Write events, positions and orders, nearly all of them done with."""
    quiet = [new_id("org") for _ in range(ORGANIZATIONS)]
    rows = [event(ORGANIZATION, number) for number in range(EVENTS)]
    rows += [event(organization_id, number) for organization_id in quiet for number in range(3)]
    copy(
        link,
        "events (organization_id, id, type, resource_id, actor, label, details, data, created_at, "
        "sequence)",
        rows,
    )
    last = [(ORGANIZATION, EVENTS - WAITING), *((each, 3) for each in quiet)]
    copy(link, "event_streams (organization_id, last)", last)
    copy(
        link,
        "event_positions (organization_id, sink, position, newest, due_at, failures)",
        [
            (of, sink, number, number, 1 if index < 10 else None, 0)
            for index, (of, number) in enumerate(last)
            for sink in ("webhooks", "chat")
        ],
    )
    copy(
        link,
        "jobs (id, name, payload, state, attempts, failures, due_at, created_at, finished_at)",
        [
            (new_id("job"), "a.b", "{}", "queued" if number < 10 else "done", 0, 0,
             1 if number < 10 else None, START, START)
            for number in range(JOBS)
        ],
    )  # fmt: skip


def event(organization_id: str, number: int) -> tuple[Any, ...]:
    """Give a row; of the busy organization's the last ones have no sequence."""
    is_counted = organization_id != ORGANIZATION or number < EVENTS - WAITING
    kind = (
        "subnet.deleted" if number % 5000 == 7 else f"address.{('created', 'updated')[number % 2]}"
    )
    return (
        organization_id,
        f"evt_{number:026}",
        kind,
        f"addr_{number // 4}",
        f"usr_{number % 300}" if number % 2 else None,
        "10.0.0.1",
        "Created address 10.0.0.1 in a subnet",
        '{"ip": "10.0.0.1", "hostname": "web", "status": "active", "owner": null}',
        START + number,
        number + 1 if is_counted else None,
    )


def copy(link: Link, target: str, rows: list[tuple[Any, ...]]) -> None:
    """Load rows."""
    with link.cursor() as cursor, cursor.copy(f"COPY {target} FROM STDIN") as writer:
        for row in rows:
            writer.write_row(row)


def latest(**wanted: Any) -> tuple[Statement[Any], dict[str, Any]]:
    """Give the query of the newest entries of the activity."""
    return entries._latest(frozenset(wanted)), {**wanted, "limit": 50, "offset": 0}


def page(**wanted: Any) -> tuple[Statement[Any], dict[str, Any]]:
    """Give the query of a part of the activity."""
    return entries._page(frozenset(wanted)).statement, {**wanted, "limit": 50, "offset": 20}


MIDDLE = START + EVENTS // 2

OWN: dict[str, tuple[Statement[Any], dict[str, Any]]] = {
    "events after": (reading._AFTER, {"after": 30_000, "limit": 100}),
    "moment": (Statement(select(*moments.MOMENT)), {}),
    "changes since": (
        moments._SINCE,
        {"last": EVENTS - WAITING - 100, "horizon": 0, "most": 200, "most_waiting": 200},
    ),
    "changes since long ago": (
        moments._SINCE,
        {"last": 0, "horizon": 0, "most": 200, "most_waiting": 200},
    ),
    "count": (sequences._COUNT, {"last": EVENTS - WAITING, "since": 0}),
    "arrived": (sequences._ARRIVED, {"sequence": EVENTS - WAITING}),
    "announce": (sequences._ANNOUNCE, {"new_last": EVENTS, "now": 1}),
    "settle": (
        dispatch._TAKEN,
        {"sink": "chat", "token": "x", "reached": 1, "now": 1},
    ),
    "delete old": (retention._DELETE, {"before": 0, "had": EVENTS}),
    "note removed": (retention._NOTE_REMOVED, {"removed_now": 1}),
    "activity": latest(),
    "activity of a plan": latest(since=MIDDLE),
    "activity of a resource": latest(resource_id="addr_77", since=0),
    "activity of an actor": latest(actor="usr_77"),
    "activity of nobody": latest(actor="usr_nobody"),
    "activity of an action": latest(action="address.created"),
    "activity of a rare action": latest(action="subnet.deleted"),
    "activity of a rare resource": latest(resource_type="subnet"),
    "activity before": latest(until=MIDDLE),
    "activity of an hour": latest(since=MIDDLE, until=MIDDLE + 3600),
    "a page": page(),
    "a page of a resource": page(resource_id="addr_77"),
    "a page of an actor": page(actor="usr_77", since=0),
}

WRITES = {OWN[name][0] for name in ("count", "announce", "settle", "delete old", "note removed")}
"""What runs in the transactions of writers."""

EVERYBODYS: dict[str, tuple[Statement[Any], dict[str, Any]]] = {
    "next": (sequences._NEXT, {"after": ""}),
    "first due": (dispatch._FIRST_DUE, {"sink": "chat", "now": 5}),
    "take": (dispatch._TAKE[4], {"sink": "chat", "now": 5, "token": "t", "end": 9}),
    "due orders": (orders._DUE, {"now": 5, "room": 16}),
    "waiting orders": (orders._WAITING, {"now": 5}),
    "depth of the outbox": (gauges._DEPTH, {}),
    "age of the outbox": (gauges._OLDEST, {}),
    "events that sinks have not taken": (gauges._WAITING, {}),
    "age of what sinks have not taken": (gauges._SINCE, {}),
    "jobs by state": (job_gauges._BY_STATE, {}),
    "first due job": (job_gauges._FIRST_DUE, {}),
    "begin": (orders._BEGIN, {"of": "job_1", "token": "t", "end": 9}),
}


@pytest.mark.parametrize("plan", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("name", [*OWN, *EVERYBODYS])
def test_a_hot_statement_touches_few_pages(link: Link, name: str, plan: str) -> None:
    """Neither a scan nor a sort of a table, planned for these values or for any."""
    statement, parameters = (OWN | EVERYBODYS)[name]
    explained = explain(link, statement, parameters, plan=plan, is_tenants=name in OWN)
    nodes = list(walk(explained))
    tables = {node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"}
    assert not tables, explained
    many = [node for node in nodes if node["Node Type"] == "Sort" and node["Actual Rows"] > SORTED]
    assert not many, explained
    assert explained["Shared Hit Blocks"] + explained["Shared Read Blocks"] < BLOCKS, explained


def test_counting_reads_what_waits_though_everything_waited_once(imported: Link) -> None:
    """What was seen of a table in the middle of an import must not slow the counting ever after."""
    statement, parameters = OWN["count"]
    explained = explain(imported, statement, parameters, plan="force_generic_plan", is_tenants=True)
    nodes = list(walk(explained))
    assert not [node for node in nodes if node["Node Type"] == "Seq Scan"], explained
    assert max(node["Actual Rows"] for node in nodes) == WAITING, explained


def test_counting_reads_nothing_that_waits_behind(imported: Link) -> None:
    """However many events an import has left, each look takes the first thousand as they are."""
    imported.execute("UPDATE events SET sequence = NULL")
    statement, parameters = OWN["count"]
    explained = explain(imported, statement, parameters, plan="force_generic_plan", is_tenants=True)
    nodes = list(walk(explained))
    assert max(node["Actual Rows"] for node in nodes) == sequences.AT_ONCE, explained


def explain(
    link: Link,
    statement: Statement[Any],
    parameters: dict[str, Any],
    *,
    plan: str,
    is_tenants: bool,
) -> dict[str, Any]:
    """Run a statement twice, as its tenant or as the owner, and give the second one's plan."""
    compiled = statement.compile(DIALECT)
    arguments = compiled.arguments(parameters, ORGANIZATION)
    sql, places = compiled.sql, ", ".join(["%s"] * len(arguments))
    with closing(psycopg.ClientCursor(link)) as cursor:
        try:
            cursor.execute("BEGIN")
            if is_tenants:
                opening = _AS_WRITING_TENANT if statement in WRITES else _AS_TENANT
                for index, value in enumerate(("ipcraft_app", ORGANIZATION, "0"), start=1):
                    opening = opening.replace(f"${index}", f"'{value}'")
                cursor.execute(opening)
            if statement is sequences._COUNT:
                take = sequences._TAKE.compile(DIALECT)
                cursor.execute(take.sql.replace("$1", f"'{ORGANIZATION}'"))
            cursor.execute(f"SET LOCAL plan_cache_mode = {plan}")
            cursor.execute(f"PREPARE hot AS {sql}".replace("%", "%%"))
            options = "ANALYZE, BUFFERS, FORMAT JSON"
            execute = f"EXECUTE hot({places})" if arguments else "EXECUTE hot"
            cursor.execute("SAVEPOINT before")
            cursor.execute(f"EXPLAIN ({options}) {execute}", arguments)
            cursor.execute("ROLLBACK TO before")
            cursor.execute(f"EXPLAIN ({options}) {execute}", arguments)
            row = cursor.fetchone()
        finally:
            cursor.execute("ROLLBACK")
            cursor.execute("DEALLOCATE ALL")
    assert row is not None
    top: dict[str, Any] = row[0][0]["Plan"]
    return top


def walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give a plan's nodes."""
    yield node
    for inner in node.get("Plans", ()):
        yield from walk(inner)
