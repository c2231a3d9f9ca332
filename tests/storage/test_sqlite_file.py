"""How the embedded database treats its file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Barrier, Thread

import pytest
from sqlalchemy import func, make_url, select

from ipcraft.app import Application
from ipcraft.plugin import Statement, Unavailable, events
from ipcraft.testing.applications import make_application
from ipcraft.testing.organizations import make_organization
from ipcraft_sqlite.connections import Connections

COUNT = Statement(select(func.count()).select_from(events))
PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name a file."""
    return tmp_path / "ipcraft.db"


@pytest.fixture
def connections(path: Path) -> Iterator[Connections]:
    """Give connections to a file, set as by default."""
    connections = Connections(path, synchronous="full", busy_timeout=10)
    yield connections
    connections.close()


@pytest.mark.parametrize("pragma", PRAGMAS)
def test_a_connection_is_set_so_that_nothing_acknowledged_is_lost(
    connections: Connections, pragma: str
) -> None:
    """Write-ahead log, synced with every commit; writers of other processes are waited for."""
    value = connections.get().execute(f"PRAGMA {pragma}").fetchone()[0]
    assert value == PRAGMAS[pragma]


def test_a_crash_of_the_process_alone_may_be_enough(path: Path) -> None:
    """`synchronous = "normal"` syncs at checkpoints only."""
    with closing(Connections(path, synchronous="normal", busy_timeout=10)) as connections:
        assert connections.get().execute("PRAGMA synchronous").fetchone() == (1,)


def test_threads_have_connections_of_their_own(connections: Connections) -> None:
    """A thread always gets the same connection, and no other thread's."""
    mine = connections.get()
    others: list[sqlite3.Connection] = []
    thread = Thread(target=lambda: others.append(connections.get()))
    thread.start()
    thread.join()
    assert connections.get() is mine
    assert others[0] is not mine


def test_threads_write_one_after_the_other(connections: Connections) -> None:
    """Writers of one process queue up, and every write is kept."""
    connections.get().execute("CREATE TABLE numbers (number INTEGER)")
    together = Barrier(8)

    def write(number: int) -> None:
        together.wait()
        with connections.writer() as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO numbers VALUES (?)", [number])
            connection.execute("COMMIT")

    threads = [Thread(target=write, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = connections.get().execute("SELECT number FROM numbers ORDER BY number").fetchall()
    assert rows == [(number,) for number in range(8)]


def test_closed_connections_are_unavailable(path: Path) -> None:
    """After the end of the process's work nothing is opened again."""
    connections = Connections(path, synchronous="full", busy_timeout=10)
    connections.get()
    connections.close()
    with pytest.raises(Unavailable, match="closed"):
        connections.get()


def test_a_reader_sees_one_state(tmp_path: Path) -> None:
    """A reading transaction is not disturbed by a write that is committed meanwhile."""
    app = make_application(f"sqlite:///{tmp_path / 'ipcraft.db'}")
    organization = make_organization(app)
    with app.storage.read(organization.id) as tx:
        before = tx.all(COUNT)
        thread = Thread(
            target=lambda: organization.client.post("/api/v1/sections", json={"name": "a"})
        )
        thread.start()
        thread.join()
        assert tx.all(COUNT) == before
    with app.storage.read(organization.id) as tx:
        assert tx.all(COUNT) != before
    app.storage.close()


def test_a_writer_of_another_process_is_waited_for_so_long(tmp_path: Path) -> None:
    """When the file stays locked beyond the time allowed, the write is unavailable."""
    url = f"sqlite:///{tmp_path / 'ipcraft.db'}"
    app: Application = make_application(url, sections={"sqlite": {"busy_timeout": 1}})
    organization = make_organization(app)
    with closing(sqlite3.connect(make_url(url).database or "", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = organization.client.post("/api/v1/sections", json={"name": "a"})
    assert answer.status_code == 503
    assert "locked" in answer.json["error"]
    assert organization.client.post("/api/v1/sections", json={"name": "a"}).status_code == 201
    app.storage.close()
