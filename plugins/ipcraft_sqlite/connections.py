"""Connections to one SQLite file, one for each thread."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ipcraft.plugin import Unavailable


class Connections:
    """Give each thread its own connection to the file."""

    def __init__(self, path: Path, *, synchronous: str, busy_timeout: int) -> None:
        self._path = path
        self._synchronous = synchronous
        self._busy_timeout = busy_timeout
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        self._writer = threading.RLock()
        self._closed = False

    def get(self) -> sqlite3.Connection:
        """Give this thread's connection, opened at first use. Raises `Unavailable` once closed."""
        if self._closed:
            raise Unavailable("the database was closed")
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._open()
        return connection

    @contextmanager
    def writer(self) -> Iterator[sqlite3.Connection]:
        """Give this thread's connection while no other thread of the process writes.

        PERF: SQLite's own waiting between connections polls with pauses; a lock hands over
        at once and in order.
        """
        with self._writer:
            yield self.get()

    def close(self) -> None:
        """Close every connection for good; a write under way ends first, readers must be done."""
        with self._writer, self._guard:
            self._closed = True
            for connection in self._opened:
                connection.close()
            self._opened.clear()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path,
            timeout=self._busy_timeout,
            isolation_level=None,
            check_same_thread=False,  # close() is called by the thread that ends the process
            cached_statements=512,
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {self._synchronous}")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA cache_size = -65536")
        connection.execute("PRAGMA temp_store = MEMORY")
        with self._guard:
            self._opened.append(connection)
        return connection
