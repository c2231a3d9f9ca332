"""A PostgreSQL connection: what goes out together, and what is left when something fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from ipcraft.plugin import Unavailable
from ipcraft.testing.services import FaultProxy, PostgreSQL
from ipcraft_postgresql.links import Link


def connect(url: str) -> Link:
    """Open a connection."""
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return Link.connect(address, autocommit=True)


@pytest.fixture(scope="module")
def url(postgresql: PostgreSQL) -> Iterator[str]:
    """Give the URL of an empty database."""
    made = postgresql.create_database()
    yield made
    postgresql.drop_database(made)


@pytest.fixture
def link(url: str) -> Iterator[Link]:
    """Give a connection with an empty table."""
    with closing(connect(url)) as link:
        link.execute("CREATE TEMPORARY TABLE things (id integer PRIMARY KEY, name text)")
        yield link


def rows(link: Link, sql: str, *arguments: Any) -> list[tuple[Any, ...]]:
    """Run one query."""
    return link.rows(link.exchange([(sql, arguments)])[-1])


def insert(number: int) -> tuple[str, tuple[int, str]]:
    """Make a call that writes a row."""
    return "INSERT INTO things VALUES ($1, $2)", (number, f"thing {number}")


def test_each_call_has_its_result(link: Link) -> None:
    """The results come in the order of the calls, whether they are prepared already or not."""
    for _ in range(2):
        results = link.exchange([("SELECT $1::int + 1", (1,)), ("SELECT $1::text", ("a",))])
        assert [link.rows(result) for result in results] == [[(2,)], [("a",)]]


@pytest.mark.parametrize("prepares", [True, False])
def test_values_come_back_as_they_were_sent(link: Link, prepares: bool) -> None:  # noqa: FBT001
    """Text, bytes, numbers, truth, null, and what psycopg can write beside them."""
    link.prepares = prepares
    values = ("ä'\"\\%$1", b"\0\xff", 2**62, -1, True, None, 0.5, date(2026, 3, 1), [1, 2])
    kinds = ("text", "bytea", "bigint", "int", "bool", "text", "float8", "date", "int[]")
    sql = ", ".join(f"${place}::{kind}" for place, kind in enumerate(kinds, start=1))
    assert rows(link, f"SELECT {sql}", *values) == [values]


def test_calls_without_a_transaction_are_one(link: Link) -> None:
    """When one fails those before it are undone, those behind it never run."""
    with pytest.raises(psycopg.errors.UniqueViolation):
        link.exchange([insert(1), insert(1), insert(2)])
    assert rows(link, "SELECT count(*) FROM things") == [(0,)]


def test_a_failure_leaves_the_connection_usable(link: Link) -> None:
    """Statements that were not prepared because of it are prepared the next time."""
    calls = [("SELECT 1 / $1::int", (0,)), ("SELECT $1::int", (7,))]
    with pytest.raises(psycopg.errors.DivisionByZero):
        link.exchange(calls)
    assert rows(link, "SELECT $1::int", 7) == [(7,)]
    assert rows(link, "SELECT 1 / $1::int", 1) == [(1,)]


def test_text_with_a_nul_is_refused_before_anything_is_sent(link: Link) -> None:
    """It would be cut there without a word."""
    with pytest.raises(psycopg.DataError, match="NUL"):
        link.exchange([insert(1), ("SELECT $1::text", ("a\0b",))])
    assert rows(link, "SELECT count(*) FROM things") == [(0,)]


def test_many_calls_are_sent_while_the_server_answers(link: Link) -> None:
    """More than both sides' buffers hold goes through: neither waits for the other."""
    text = "x" * 10_000
    results = link.exchange([("SELECT $1::text", (text,))] * 2_000)
    assert link.rows(results[-1]) == [(text,)]


def test_more_than_the_buffers_hold_is_sent_to_the_end(link: Link) -> None:
    """Also where the server has nothing to say before it has all of it."""
    link.patience = 20.0
    assert rows(link, "SELECT length($1::bytea)", b"x" * (1 << 26)) == [(1 << 26,)]


def test_statements_without_number_are_not_all_kept(link: Link) -> None:
    """A program that makes up statements does not fill the server's memory."""
    for number in range(600):
        assert rows(link, f"SELECT {number}") == [(number,)]
    [(kept,)] = rows(link, "SELECT count(*) FROM pg_prepared_statements")
    assert kept == 500


def test_a_silent_server_is_given_up(postgresql: PostgreSQL, url: str) -> None:
    """A connection on which nothing comes any more is closed, and the request gets 503."""
    with (
        FaultProxy(postgresql.host, postgresql.port) as proxy,
        closing(connect(proxy.url(url))) as link,
    ):
        link.patience = 0.2
        proxy.black_hole()
        with pytest.raises(Unavailable, match=r"silent for 0\.2 seconds"):
            link.exchange([("SELECT 1", ())])
        assert link.closed
