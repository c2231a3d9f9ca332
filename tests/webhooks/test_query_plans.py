"""The queue's statements go by their indexes, also where they were planned for an empty table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from ipcraft.plugin import Application, Statement
from ipcraft_postgresql.sessions import DIALECT
from ipcraft_webhooks import deliveries, queue

# What SQLite chooses does not depend on what it has seen.
pytestmark = pytest.mark.parametrize("backend", ["postgresql"], indirect=True, scope="session")

STATEMENTS = {
    "due": (queue._DUE, "webhook_deliveries_due"),
    "lease": (queue._LEASE, "webhook_deliveries_pkey"),
    "settle": (queue._SETTLE, "webhook_deliveries_pkey"),
    "retry": (queue._RETRY, "webhook_deliveries_pkey"),
    "release": (queue._RELEASE, "webhook_deliveries_pkey"),
    "redeliver": (deliveries._LAST_SERIES, "webhook_deliveries_attempt"),
}


@pytest.fixture
def owner(application: Application) -> Iterator[psycopg.Connection]:
    """Connect as the owner of the tables."""
    url = make_url(application.settings.database_url).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        yield connection


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_plan_for_an_empty_table_goes_by_the_index(owner: psycopg.Connection, name: str) -> None:
    """A plan that is kept while the table grows is the one for a table that has grown."""
    statement, index = STATEMENTS[name]
    plan = explained(owner, statement)
    assert index in plan
    assert "Seq Scan" not in plan


def test_the_endpoints_are_found_by_steps_in_the_index(owner: psycopg.Connection) -> None:
    """For each webhook that something waits for there is one step, however much waits."""
    plan = explained(owner, queue._ENDPOINTS)
    assert set(re.findall(r"Scan using (webhook_deliveries_\w+)", plan)) == {
        "webhook_deliveries_due"
    }
    assert "Seq Scan on webhook_deliveries" not in plan
    assert "Sort" not in plan


def explained(owner: psycopg.Connection, statement: Statement[Any]) -> str:
    """Give the plan of a statement for whatever parameters."""
    sql = statement.compile(DIALECT).sql
    rows = psycopg.ClientCursor(owner).execute(f"EXPLAIN (GENERIC_PLAN) {sql}".encode()).fetchall()
    return "\n".join(row[0] for row in rows)
