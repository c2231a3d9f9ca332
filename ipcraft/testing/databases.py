"""Fresh databases, copied from one that was migrated once."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, MetaData, create_engine, make_url, select, text
from sqlalchemy.pool import NullPool

from ipcraft.testing.applications import make_application
from ipcraft.testing.services import PostgreSQL


class Databases(Protocol):
    """Make and drop databases on one kind of storage."""

    def create(self) -> str:
        """Give the URL of a fresh database, its tables up to date."""
        ...

    def create_empty(self) -> str:
        """Give the URL of a database without any table."""
        ...

    def drop(self, url: str) -> None:
        """Drop a database that nobody uses any more."""


class SQLiteDatabases:
    """Make files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._template: Path | None = None

    def create(self) -> str:
        """Copy the migrated file."""
        if self._template is None:
            self._template = self._folder / "template.db"
            make_application(f"sqlite:///{self._template}").storage.close()
        url = self.create_empty()
        shutil.copy(self._template, make_url(url).database or "")
        return url

    def create_empty(self) -> str:
        """Name a file that does not exist yet."""
        return f"sqlite:///{self._folder / secrets.token_hex(8)}.db"

    def drop(self, url: str) -> None:
        """Remove the file and what SQLite keeps beside it."""
        path = make_url(url).database or ""
        for suffix in ("", "-wal", "-shm"):
            Path(path + suffix).unlink(missing_ok=True)


class PostgreSQLDatabases:
    """Make databases on a server."""

    def __init__(self, server: PostgreSQL) -> None:
        self._server = server
        self._template: str | None = None

    def create(self) -> str:
        """Copy the migrated database."""
        if self._template is None:
            template = self._server.create_database()
            make_application(template).storage.close()
            self._template = template
        return self._server.create_database(template=self._template)

    def create_empty(self) -> str:
        """Make a database."""
        return self._server.create_database()

    def drop(self, url: str) -> None:
        """Drop the database, whoever is connected to it."""
        self._server.drop_database(url)


def dump(database_url: str) -> str:
    """Give every value of every table as text, and of a file its bytes too.

    It is what a secret is looked for in.
    """
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        file = Path(url.database or "")
        parts = [each.read_bytes() for each in sorted(file.parent.glob(f"{file.name}*"))]
        return b"".join(parts).decode("latin-1") + _rows(create_engine(url, poolclass=NullPool))
    return _rows(create_engine(url.set(drivername="postgresql+psycopg"), poolclass=NullPool))


def _rows(engine: Engine) -> str:
    metadata = MetaData()
    with engine.connect() as connection:
        indexes = _search_indexes(connection)
        metadata.reflect(connection, only=lambda name, _: name not in indexes)
        return repr([connection.execute(select(each)).all() for each in metadata.sorted_tables])


def _search_indexes(connection: Connection) -> set[str]:
    """Give SQLite's virtual tables: what they hold is in tables beside them."""
    if connection.dialect.name != "sqlite":
        return set()
    virtual = text("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%'")
    return set(connection.execute(virtual).scalars())
