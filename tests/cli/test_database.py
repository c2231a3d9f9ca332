"""`ipcraft db` moves the tables of every plugin, and commands insist on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from click.testing import Result

from ipcraft.testing.applications import SECRET_KEY
from ipcraft.testing.databases import Databases
from ipcraft.testing.services import PostgreSQL

Run = Callable[..., Result]

TABLES = (
    "ipcraft",
    "accounts",
    "magiclink",
    "apikeys",
    "ipam",
    "stripe",
    "webhooks",
    "interchange",
)


@pytest.fixture
def empty(databases: Databases) -> Iterator[str]:
    """Give the URL of a database without tables."""
    url = databases.create_empty()
    yield url
    databases.drop(url)


def rows(result: Result) -> dict[str, str]:
    """Read what is printed of each plugin."""
    return {
        name: text.strip()
        for name, _, text in (line.partition(" ") for line in result.output.splitlines())
    }


def test_upgrade_tells_from_where_to_where(run: Run, empty: str) -> None:
    """The first upgrade makes the tables of every plugin."""
    result = run("--database", empty, "db", "upgrade")
    assert result.exit_code == 0
    assert tuple(rows(result)) == TABLES
    assert rows(result)["ipcraft"].startswith("nothing -> ")


def test_a_second_upgrade_moves_nothing(run: Run, empty: str) -> None:
    """An upgrade may be run at any time."""
    run("--database", empty, "db", "upgrade")
    result = run("--database", empty, "db", "upgrade")
    assert result.exit_code == 0
    assert all(text.endswith(", up to date") for text in rows(result).values())


def test_status_ends_with_1_while_tables_are_behind(run: Run, empty: str) -> None:
    """A script can ask whether an upgrade is due."""
    before = run("--database", empty, "db", "status")
    assert before.exit_code == 1
    assert all(text.startswith("nothing, the newest is ") for text in rows(before).values())
    run("--database", empty, "db", "upgrade")
    after = run("--database", empty, "db", "status")
    assert after.exit_code == 0
    assert tuple(rows(after)) == TABLES


def test_the_embedded_database_gets_its_tables_by_the_way(run: Run) -> None:
    """In an empty folder any command may be the first."""
    assert run("org", "list").exit_code == 0
    assert run("db", "status").exit_code == 0


@pytest.mark.parametrize("arguments", [("org", "list"), ("serve", "--port", "0")])
def test_a_servers_database_is_not_upgraded_by_the_way(
    run: Run, postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    """On PostgreSQL the operator decides when; commands say what to run."""
    monkeypatch.setenv("IPCRAFT_SECRET_KEY", SECRET_KEY)
    url = postgresql.create_database()
    result = run("--database", url, *arguments)
    postgresql.drop_database(url)
    assert result.exit_code == 1
    assert result.stderr == (
        f"Error: the tables of {', '.join(TABLES)} are not up to date: run `ipcraft db upgrade`\n"
    )


@pytest.mark.parametrize(
    "url", ["sqlite:////nowhere/at/all.db", "postgresql://nobody@127.0.0.1:1/none"]
)
def test_a_database_that_cannot_be_used_is_a_message(run: Run, url: str) -> None:
    """The reason stands in one sentence, without a traceback."""
    result = run("--database", url, "org", "list")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: the database cannot be used: ")
