"""The storage in one SQLite file: WAL, one writer at a time, many readers beside it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, create_engine, event, make_url
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from ipcraft.plugin import (
    Claim,
    CompiledStatement,
    Conflict,
    Contention,
    Migrations,
    Queued,
    Reader,
    Recorder,
    RequestError,
    Row,
    Settle,
    Statement,
    Storage,
    StorageStatus,
    Transaction,
    Unavailable,
    outdated,
    status,
    upgrade,
)
from ipcraft_sqlite.connections import Connections

T = TypeVar("T")
R = TypeVar("R")

_DIALECT: Dialect = sqlite_dialect(paramstyle="qmark")
_ATTEMPTS = 8
_CONFLICTS = (
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
    sqlite3.SQLITE_CONSTRAINT_UNIQUE,
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY,
)


class SQLiteBackend:
    """Open SQLite files."""

    name = "sqlite"
    schemes = ("sqlite",)

    def __init__(self, *, synchronous: str = "full", busy_timeout: int = 10) -> None:
        self._synchronous = synchronous
        self._busy_timeout = busy_timeout

    def open(
        self, url: str, *, migrations: Mapping[str, Migrations], recorder: Recorder
    ) -> Storage:
        """Make a storage of the file the URL names."""
        path = Path(make_url(url).database or "ipcraft.db")
        connections = Connections(
            path, synchronous=self._synchronous, busy_timeout=self._busy_timeout
        )
        return SQLiteStorage(path, connections, migrations=migrations, recorder=recorder)


class SQLiteStorage:
    """Run transactions against one file."""

    name = "sqlite"
    writes_side_by_side = False

    def __init__(
        self,
        path: Path,
        connections: Connections,
        *,
        migrations: Mapping[str, Migrations],
        recorder: Recorder,
    ) -> None:
        self._path = path
        self._connections = connections
        self._migrations = migrations
        self._recorder = recorder
        self._up_to_date = False

    def transact(
        self,
        organization_id: str,
        work: Callable[[Transaction], T],
        *,
        actor: str | None = None,
        claim: Claim | None = None,
    ) -> T:
        """Run the work while nobody else writes, and commit it."""
        return self._transact(work, organization_id=organization_id, actor=actor, claim=claim)

    def transact_system(self, work: Callable[[Transaction], T]) -> T:
        """Run the work across organizations."""
        return self._transact(work, organization_id=None, actor=None)

    @contextmanager
    def read(self, organization_id: str, *, claim: Claim | None = None) -> Iterator[Transaction]:
        """Read one state of the file, undisturbed by writers."""
        with self._read(organization_id) as tx:
            _settle(tx, claim)
            yield tx

    @contextmanager
    def read_system(self) -> Iterator[Transaction]:
        """Read across organizations."""
        with self._read(None) as tx:
            yield tx

    @contextmanager
    def look(self, organization_id: str, *, claim: Claim | None = None) -> Iterator[Reader]:
        """Run queries of the organization, each for itself."""
        with _translated():
            session = SQLiteSession(self._connections.get())
            _settle(Reader(session, organization_id=None), claim)
            yield Reader(session, organization_id=organization_id)

    def look_up(self, statement: Statement[R], /, **parameters: Any) -> R | None:
        """Run one query across organizations."""
        with _translated():
            session = SQLiteSession(self._connections.get())
            return Reader(session, organization_id=None).one(statement, **parameters)

    def check(self) -> str | None:
        """Say why requests cannot be served, or None."""
        try:
            with _translated():
                self._connections.get().execute("SELECT 1")
            if self._up_to_date:
                return None
            behind = outdated(self.status())
        except Unavailable as error:
            return error.message
        self._up_to_date = behind is None
        return behind

    def status(self) -> list[StorageStatus]:
        """Say which migration each plugin's tables are at."""
        with self._migrating("BEGIN") as connection:
            return status(connection, self._migrations)

    def upgrade(self) -> list[StorageStatus]:
        """Create the file if need be and bring its tables to the newest migration."""
        with self._migrating("BEGIN IMMEDIATE") as connection:
            return upgrade(connection, self._migrations)

    def close(self) -> None:
        """Close every connection."""
        self._connections.close()

    def _transact(
        self,
        work: Callable[[Transaction], T],
        *,
        organization_id: str | None,
        actor: str | None,
        claim: Claim | None = None,
    ) -> T:
        for attempt in range(1, _ATTEMPTS + 1):
            with _translated(), self._connections.writer() as connection:
                _refuse_nesting(connection)
                connection.execute("BEGIN IMMEDIATE")
                try:
                    tx = Transaction(
                        SQLiteSession(connection),
                        self._recorder,
                        organization_id=organization_id,
                        actor=actor,
                        attempt=attempt,
                    )
                    _settle(tx, claim)
                    result = work(tx)
                    tx.commit()
                except Contention:
                    if attempt == _ATTEMPTS:
                        raise
                except sqlite3.IntegrityError as error:
                    if error.sqlite_errorcode not in _CONFLICTS:
                        raise
                    if attempt == _ATTEMPTS:
                        raise Conflict from error
                else:
                    return result
                finally:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
        raise AssertionError("the last attempt returns or raises")

    @contextmanager
    def _read(self, organization_id: str | None) -> Iterator[Transaction]:
        with _translated():
            connection = self._connections.get()
            connection.execute("BEGIN")
            try:
                yield Transaction(
                    SQLiteSession(connection), self._recorder, organization_id=organization_id
                )
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def _migrating(self, begin: str) -> Iterator[Connection]:
        engine = create_engine(f"sqlite:///{self._path}", poolclass=NullPool)
        event.listen(engine, "connect", _autocommit)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
        try:
            with engine.begin() as connection:
                yield connection
        except OperationalError as error:
            raise Unavailable(f"the database cannot be used: {error.orig}") from error


class SQLiteSession:
    """Run statements on one connection, at once: the file is in this process."""

    dialect = _DIALECT

    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def lock(self, queued: Sequence[Queued], key: int, *, shared: bool) -> None:
        """Run what is queued; the writer is alone already."""
        self._run(queued)

    def try_lock(self, key: int, *, refusal: RequestError) -> None:
        """Do nothing: the writer is alone already."""

    def ask(self, question: Queued, settle: Settle) -> None:
        """Ask now."""
        settle(self.fetch((), question))

    def send(self, queued: Sequence[Queued]) -> None:
        """Run what is queued."""
        self._run(queued)

    def fetch(self, queued: Sequence[Queued], statement: Queued) -> list[Row]:
        """Run what is queued, then the query."""
        self._run(queued)
        compiled, arguments = statement
        return self._connection.execute(compiled.sql, arguments).fetchall()

    def execute(self, queued: Sequence[Queued], statement: Queued) -> int:
        """Run what is queued, then the write."""
        self._run(queued)
        compiled, arguments = statement
        return self._connection.execute(compiled.sql, arguments).rowcount

    def execute_many(
        self, queued: Sequence[Queued], compiled: CompiledStatement, rows: list[list[Any]]
    ) -> None:
        """Run the write for each row."""
        self._run(queued)
        self._connection.executemany(compiled.sql, rows)

    def commit(self, queued: Sequence[Queued]) -> None:
        """Run what is queued and commit."""
        self._run(queued)
        self._connection.execute("COMMIT")

    def _run(self, queued: Sequence[Queued]) -> None:
        for compiled, arguments in queued:
            self._connection.execute(compiled.sql, arguments)


def _refuse_nesting(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        raise RuntimeError(
            "a writing transaction is opened inside another one, which would wait for itself: "
            "use `Application.transact` with the request's identity, or pass the transaction on"
        )


def _settle(reader: Reader, claim: Claim | None) -> None:
    """Ask what the claim wants to know, before anything else."""
    if claim and not claim.settled:
        claim.settle(reader.one(claim.statement, **claim.parameters))


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what the file system or SQLite cannot do into `Unavailable` with the reason."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:  # our statement is wrong, not the file
            raise
        raise Unavailable(f"the database cannot be used: {error}") from error


def _autocommit(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None
