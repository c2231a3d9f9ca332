"""The storage in PostgreSQL: each tenant's transaction under row-level security."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, TypeVar

import psycopg
from psycopg import errors
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from ipcraft.plugin import (
    SERVING_ROLE,
    Claim,
    Conflict,
    Contention,
    Metrics,
    Migrations,
    Reader,
    Recorder,
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
from ipcraft_postgresql.leases import Lease, Leases
from ipcraft_postgresql.links import Call, Link
from ipcraft_postgresql.roles import ensure_serving_role
from ipcraft_postgresql.sessions import Opening, PostgreSQLLook, PostgreSQLSession

T = TypeVar("T")
R = TypeVar("R")

_ATTEMPTS = 10
_OVERTAKEN = (errors.SerializationFailure, errors.DeadlockDetected)
_CONFLICTS = (errors.UniqueViolation, errors.ForeignKeyViolation, errors.ExclusionViolation)
_UPGRADE_LOCK = 0x1BC4AF7
_LEAST_CONNECT_TIMEOUT = 2
"""Seconds; libpq takes less for as much."""

_BEGIN: Call = ("BEGIN", ())
_BEGIN_READING: Call = ("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", ())
# PERF: no plan is compiled where PostgreSQL could: that takes longer than almost any of our
# statements, which stop long before they have cost what the planner estimates.
_AS_TENANT = (
    "SELECT set_config('role', $1, true), set_config('ipcraft.org', $2, true), "
    "set_config('jit', 'off', true)"
)
_AS_WRITING_TENANT = f"{_AS_TENANT}, set_config('lock_timeout', $3, true)"


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
        silence_timeout: float = 60.0,
        prepared_statements: bool = True,
        metrics: Metrics | None = None,
    ) -> None:
        self._metrics = metrics or Metrics()
        self._serving_role = serving_role
        self._pool_size = pool_size
        self._pool_timeout = pool_timeout
        self._lock_timeout = lock_timeout
        self._silence_timeout = silence_timeout
        self._prepared_statements = prepared_statements

    def open(
        self, url: str, *, migrations: Mapping[str, Migrations], recorder: Recorder
    ) -> Storage:
        """Make a storage; the pool opens at first use, after a fork."""
        conninfo = make_url(url).set(drivername="postgresql")
        address = conninfo.render_as_string(hide_password=False)
        leases = Leases(
            lambda: self._connect(address),
            most=self._pool_size,
            timeout=self._pool_timeout,
            metrics=self._metrics,
        )
        return PostgreSQLStorage(
            url,
            leases,
            serving_role=self._serving_role,
            lock_timeout=round(self._lock_timeout * 1000),
            migrations=migrations,
            recorder=recorder,
        )

    def _connect(self, address: str) -> Link:
        link = Link.connect(
            address,
            autocommit=True,
            prepare_threshold=None,
            client_encoding="utf8",
            connect_timeout=max(round(self._pool_timeout), _LEAST_CONNECT_TIMEOUT),
        )
        link.prepares = self._prepared_statements
        link.patience = self._silence_timeout
        return link


class PostgreSQLStorage:
    """Run transactions against one database."""

    name = "postgresql"
    writes_side_by_side = True

    def __init__(
        self,
        url: str,
        leases: Leases,
        *,
        serving_role: str,
        lock_timeout: int,
        migrations: Mapping[str, Migrations],
        recorder: Recorder,
    ) -> None:
        self._url = make_url(url).set(drivername="postgresql+psycopg")
        self._leases = leases
        self._serving_role = serving_role
        self._lock_timeout = str(lock_timeout)
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
        """Run the work as the organization and commit it."""
        tenant = (_AS_WRITING_TENANT, (*self._tenant(organization_id), self._lock_timeout))
        return self._transact(
            # PERF: to plan a write's statements takes 300 us.
            lambda: Opening(_BEGIN, tenant, claim=claim, plans_once=True),
            work,
            organization_id=organization_id,
            actor=actor,
        )

    def transact_system(self, work: Callable[[Transaction], T]) -> T:
        """Run the work as the owner of the tables, across organizations."""
        return self._transact(lambda: Opening(_BEGIN, None), work, organization_id=None, actor=None)

    @contextmanager
    def read(self, organization_id: str, *, claim: Claim | None = None) -> Iterator[Transaction]:
        """Read one state of the organization's rows."""
        tenant = (_AS_TENANT, self._tenant(organization_id))
        with self._leased() as lease:
            session = PostgreSQLSession(lease, Opening(_BEGIN_READING, tenant, claim=claim))
            yield Transaction(session, self._recorder, organization_id=organization_id)

    @contextmanager
    def read_system(self) -> Iterator[Transaction]:
        """Read one state of everybody's rows."""
        with self._leased() as lease:
            session = PostgreSQLSession(lease, Opening(_BEGIN_READING, None))
            yield Transaction(session, self._recorder, organization_id=None)

    @contextmanager
    def look(self, organization_id: str, *, claim: Claim | None = None) -> Iterator[Reader]:
        """Run queries of the organization, each in one round trip."""
        tenant = (_AS_TENANT, self._tenant(organization_id))
        with self._leased() as lease:
            session = PostgreSQLLook(lease, Opening(None, tenant, claim=claim))
            yield Reader(session, organization_id=organization_id)

    def look_up(self, statement: Statement[R], /, **parameters: Any) -> R | None:
        """Run one query across organizations, in one round trip."""
        with self._leased() as lease:
            session = PostgreSQLLook(lease, Opening(None, None))
            return Reader(session, organization_id=None).one(statement, **parameters)

    def check(self) -> str | None:
        """Say why requests cannot be served, or None."""
        try:
            with self._leased() as lease:
                lease.begin([("SELECT 1", ())])
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

    @property
    def leases(self) -> Leases:
        """Give this process's connections."""
        return self._leases

    def close(self) -> None:
        """Close the connections."""
        self._leases.close()

    def _tenant(self, organization_id: str) -> tuple[str, str]:
        # APPSEC: an empty string would mean no tenant; nothing but an id may come here.
        if not is_id(organization_id, "org"):
            raise ValueError(f"not an organization's id: {organization_id!r}")
        return self._serving_role, organization_id

    def _transact(
        self,
        opening: Callable[[], Opening],
        work: Callable[[Transaction], T],
        *,
        organization_id: str | None,
        actor: str | None,
    ) -> T:
        attempt = 1
        while True:
            try:
                with self._leased() as lease:
                    tx = Transaction(
                        PostgreSQLSession(lease, opening()),
                        self._recorder,
                        organization_id=organization_id,
                        actor=actor,
                        attempt=attempt,
                    )
                    result = work(tx)
                    tx.commit()
                    return result
            except Contention:
                if attempt == _ATTEMPTS:
                    raise
            except _OVERTAKEN as error:
                if attempt == _ATTEMPTS:
                    raise Contention(f"the database refused the write: {error}") from error
            except _CONFLICTS as error:
                # Somebody was faster, and the work, begun anew, sees it; or it asks for it.
                # Which of them cannot be told: under row-level security errors name no key.
                if attempt == _ATTEMPTS:
                    raise Conflict from error
            attempt += 1

    def _leased(self) -> _Leased:
        return _Leased(self._leases.lend())

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


class _Leased:
    """Hold a lease for a ``with`` block; what the server cannot do now becomes `Unavailable`.

    PERF: as two generators this took 3 us of every request.
    """

    __slots__ = ("_lease",)

    def __init__(self, lease: Lease) -> None:
        self._lease = lease

    def __enter__(self) -> Lease:
        try:
            return self._lease.__enter__()
        except psycopg.Error as error:
            _refuse(error)
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._lease.__exit__(kind, error, trace)
        except psycopg.Error as failure:
            _refuse(failure)
            raise
        if error is not None:
            _refuse(error)


def _refuse(error: BaseException) -> None:
    """Raise `Unavailable` with the reason, if the error is one of what the server cannot do now."""
    if isinstance(error, _OVERTAKEN):
        return
    if isinstance(error, errors.LockNotAvailable):
        raise Unavailable(
            "another request is changing the same part of the inventory", code="busy"
        ) from error
    if isinstance(error, psycopg.OperationalError | errors.ReadOnlySqlTransaction):
        raise Unavailable(f"the database cannot be used: {error}") from error
