"""The storage in PostgreSQL: each tenant's transaction under row-level security."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from psycopg import errors
from psycopg_pool import ConnectionPool, PoolTimeout
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from ipcraft.plugin import (
    SERVING_ROLE,
    Contention,
    Migrations,
    Recorder,
    Row,
    Statement,
    Storage,
    StorageStatus,
    Transaction,
    Unavailable,
    is_id,
    outdated,
    status,
    upgrade,
)
from ipcraft_postgresql.roles import ensure_serving_role
from ipcraft_postgresql.sessions import DIALECT, PostgreSQLSession, StaleConnection

T = TypeVar("T")
R = TypeVar("R")
Link = psycopg.Connection[Row]

_ATTEMPTS = 10
_OVERTAKEN = (
    errors.IntegrityError,
    errors.SerializationFailure,
    errors.DeadlockDetected,
)
_UPGRADE_LOCK = 0x1BC4AF7


class PostgreSQLBackend:
    """Open PostgreSQL databases."""

    name = "postgresql"
    schemes = ("postgresql", "postgresql+psycopg")

    def __init__(
        self,
        *,
        serving_role: str = "ipcraft_app",
        pool_size: int = 16,
        pool_timeout: float = 3.0,
        lock_timeout: float = 5.0,
        prepared_statements: bool = True,
    ) -> None:
        self._serving_role = serving_role
        self._pool_size = pool_size
        self._pool_timeout = pool_timeout
        self._lock_timeout = lock_timeout
        self._prepared_statements = prepared_statements

    def open(
        self, url: str, *, migrations: Mapping[str, Migrations], recorder: Recorder
    ) -> Storage:
        """Make a storage; the pool opens at first use, after a fork."""
        conninfo = make_url(url).set(drivername="postgresql")
        pool: ConnectionPool[Link] = ConnectionPool(
            conninfo.render_as_string(hide_password=False),
            kwargs={
                "autocommit": True,
                "prepare_threshold": 1 if self._prepared_statements else None,
                "connect_timeout": 5,
            },
            configure=_configure,
            min_size=1,
            max_size=self._pool_size,
            timeout=self._pool_timeout,
            # A lost server is tried again by the next request, not after a growing pause.
            reconnect_timeout=1.0,
            open=False,
        )
        return PostgreSQLStorage(
            url,
            pool,
            serving_role=self._serving_role,
            lock_timeout=round(self._lock_timeout * 1000),
            migrations=migrations,
            recorder=recorder,
        )


class PostgreSQLStorage:
    """Run transactions against one database."""

    name = "postgresql"

    def __init__(
        self,
        url: str,
        pool: ConnectionPool[Link],
        *,
        serving_role: str,
        lock_timeout: int,
        migrations: Mapping[str, Migrations],
        recorder: Recorder,
    ) -> None:
        self._url = make_url(url).set(drivername="postgresql+psycopg")
        self._pool = pool
        self._opening = threading.Lock()
        self._serving_role = serving_role
        self._step_down = (
            f'SET LOCAL ROLE "{serving_role}"; SET LOCAL lock_timeout = {lock_timeout}; '
            "SET LOCAL ipcraft.org = "
        )
        self._migrations = migrations
        self._recorder = recorder
        self._up_to_date = False

    def transact(
        self, organization_id: str, work: Callable[[Transaction], T], *, actor: str | None = None
    ) -> T:
        """Run the work as the organization and commit it."""
        begin = f"BEGIN; {self._tenant(organization_id)}".encode()
        return self._transact(begin, work, organization_id=organization_id, actor=actor)

    def transact_system(self, work: Callable[[Transaction], T]) -> T:
        """Run the work as the owner of the tables, across organizations."""
        return self._transact(b"BEGIN", work, organization_id=None, actor=None)

    @contextmanager
    def read(self, organization_id: str) -> Iterator[Transaction]:
        """Read one state of the organization's rows."""
        begin = f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {self._tenant(organization_id)}"
        with self._begun(begin.encode()) as link:
            yield Transaction(
                PostgreSQLSession(link), self._recorder, organization_id=organization_id
            )

    @contextmanager
    def read_system(self) -> Iterator[Transaction]:
        """Read one state of everybody's rows."""
        with self._begun(b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") as link:
            yield Transaction(PostgreSQLSession(link), self._recorder, organization_id=None)

    def look_up(self, statement: Statement[R], /, **parameters: Any) -> R | None:
        """Run one query across organizations, in one round trip."""
        compiled = statement.compile(DIALECT)
        arguments = compiled.arguments(parameters, None)
        with self._link(compiled.sql.encode(), arguments) as (_, cursor):
            row = cursor.fetchone()
        return statement.into(*row) if row else None

    def check(self) -> str | None:
        """Say why requests cannot be served, or None."""
        try:
            with self._link(b"SELECT 1", ()):
                pass
            if self._up_to_date:
                return None
            behind = outdated(self.status())
        except Unavailable as error:
            return error.message
        self._up_to_date = behind is None
        return behind

    def status(self) -> list[StorageStatus]:
        """Say which migration each plugin's tables are at."""
        with self._migrating() as connection:
            return status(connection, self._migrations)

    def upgrade(self) -> list[StorageStatus]:
        """Make the serving role and bring the tables to the newest migration."""
        with self._migrating() as connection:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_UPGRADE_LOCK})"))
            ensure_serving_role(connection, self._serving_role)
            connection.info[SERVING_ROLE] = self._serving_role
            return upgrade(connection, self._migrations)

    def close(self) -> None:
        """Close the pool."""
        self._pool.close()

    def _tenant(self, organization_id: str) -> str:
        # APPSEC: the id becomes part of the SQL text, so nothing but an id may come here.
        if not is_id(organization_id, "org"):
            raise ValueError(f"not an organization's id: {organization_id!r}")
        return f"{self._step_down}'{organization_id}'"

    def _transact(
        self,
        begin: bytes,
        work: Callable[[Transaction], T],
        *,
        organization_id: str | None,
        actor: str | None,
    ) -> T:
        attempt = 1
        stale = 0
        while True:
            try:
                with self._lent() as link, _rolled_back(link):
                    tx = Transaction(
                        PostgreSQLSession(link, begin),
                        self._recorder,
                        organization_id=organization_id,
                        actor=actor,
                        attempt=attempt,
                    )
                    result = work(tx)
                    tx.commit()
                    return result
            except StaleConnection as error:
                stale += 1
                if stale > self._pool.max_size:
                    raise Unavailable("the database drops every connection") from error
            except Contention:
                if attempt == _ATTEMPTS:
                    raise
                attempt += 1
            except _OVERTAKEN as error:
                if attempt == _ATTEMPTS:
                    raise Contention(f"the database refused the write: {error}") from error
                attempt += 1

    @contextmanager
    def _begun(self, begin: bytes) -> Iterator[Link]:
        with self._link(begin, None) as (link, _), _rolled_back(link):
            yield link

    @contextmanager
    def _link(self, first: bytes, arguments: Any) -> Iterator[tuple[Link, psycopg.Cursor[Row]]]:
        """Lend a connection on which the first statement has run.

        A connection that the server dropped while it lay in the pool shows only then: the
        next one is tried, and nothing was lost.
        """
        for _ in range(self._pool.max_size + 1):
            with self._lent() as link:
                try:
                    cursor = link.execute(first, arguments)
                except psycopg.OperationalError:
                    if not link.broken:
                        raise
                    continue
                yield link, cursor
                return
        raise Unavailable("the database drops every connection")

    @contextmanager
    def _lent(self) -> Iterator[Link]:
        with _translated():
            self._ensure_open()
            link = self._pool.getconn()
            try:
                yield link
            finally:
                self._pool.putconn(link)

    def _ensure_open(self) -> None:
        if self._pool.closed:
            with self._opening:
                if self._pool.closed:
                    self._pool.open()

    @contextmanager
    def _migrating(self) -> Iterator[Connection]:
        engine = create_engine(
            self._url, poolclass=NullPool, connect_args={"prepare_threshold": None}
        )
        try:
            with engine.begin() as connection:
                yield connection
        except OperationalError as error:
            raise Unavailable(f"the database cannot be used: {error.orig}") from error


@contextmanager
def _rolled_back(link: Link) -> Iterator[None]:
    """Leave no transaction open."""
    try:
        yield
    finally:
        if not link.broken and link.info.transaction_status:
            link.execute("ROLLBACK")


def _configure(link: Link) -> None:
    link.prepared_max = 500


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what the server cannot do now into `Unavailable` with the reason."""
    try:
        yield
    except (errors.SerializationFailure, errors.DeadlockDetected):
        raise
    except errors.LockNotAvailable as error:
        raise Unavailable(
            "another request is changing the same part of the inventory", code="busy"
        ) from error
    except PoolTimeout as error:
        raise Unavailable("no connection to the database within the time allowed") from error
    except (psycopg.OperationalError, errors.ReadOnlySqlTransaction) as error:
        raise Unavailable(f"the database cannot be used: {error}") from error
