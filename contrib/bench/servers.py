"""The servers under measurement, started here and stopped by their process ids.

PostgreSQL is the one the tests use (`ipcraft.testing.services`) or any other, given by its URL.
IPCraft and the bare application run under the same gunicorn settings.
"""

from __future__ import annotations

import http.client
import os
import platform
import secrets
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click
import orjson
import psycopg
from sqlalchemy.engine import make_url

from bench import bare
from bench.messages import Endpoint
from ipcraft.testing.services import PostgreSQL, free_port

WORKERS = 2
THREADS = 8

_CONTRIB = Path(__file__).resolve().parent.parent
_READY_WITHIN = 60.0
_PARAMETERS = {"shared_buffers": "1GB", "max_wal_size": "4GB"}
"""What anybody sets for a database of this size; everything else is PostgreSQL's own default."""


@dataclass(frozen=True, slots=True)
class Account:
    """An organization of a served IPCraft, with a key to act in it."""

    endpoint: Endpoint
    organization_id: str
    key: str


@dataclass(frozen=True, slots=True)
class Site:
    """A served IPCraft with a database of its own."""

    endpoint: Endpoint
    pid: int
    server: PostgreSQL
    database_url: str
    environment: Mapping[str, str]

    def organization(self, name: str) -> Account:
        """Make an organization without limits."""
        answer = ipcraft(organization_command(name), environment=self.environment)
        made: dict[str, Any] = orjson.loads(answer)
        return Account(self.endpoint, made["organization"]["id"], made["api_key"]["key"])

    def settle(self) -> None:
        """Vacuum, analyze and checkpoint, as autovacuum does in the minutes after a load."""
        with connection(self.database_url) as owner:
            owner.execute("VACUUM ANALYZE")
        with connection(self.server.url) as administrator:
            administrator.execute("CHECKPOINT")


def postgresql(url: str | None) -> PostgreSQL:
    """Start PostgreSQL with fsync on, or use the one whose administrator's URL is given."""
    if url is not None:
        return PostgreSQL(make_url(url))
    return PostgreSQL.start(fsync=True, settings=_PARAMETERS)


@contextmanager
def database(server: PostgreSQL) -> Iterator[str]:
    """Make an empty database, owned by a role that row-level security binds; drop it at the end."""
    url = server.create_database()
    try:
        yield url
    finally:
        server.drop_database(url)


def connection(url: str) -> psycopg.Connection[tuple[Any, ...]]:
    """Connect to a database by its SQLAlchemy URL."""
    return psycopg.connect(_plain(url), autocommit=True)


@contextmanager
def bare_application(database_url: str, scratch: Path, *, rows: int) -> Iterator[Endpoint]:
    """Serve the bare Falcon application over a table of this many rows."""
    with connection(database_url) as owner:
        owner.execute(bare.SCHEMA)
        owner.execute(bare.FILL, {"rows": rows})
        owner.execute("VACUUM ANALYZE")
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--worker-class", "gthread"]
    command += ["--workers", str(WORKERS), "--threads", str(THREADS)]
    command += ["--bind", f"127.0.0.1:{port}", "--log-level", "warning"]
    command += ["--pythonpath", str(_CONTRIB), "bench.bare:create_app()"]
    environment = {**os.environ, bare.DATABASE_URL: _plain(database_url)}
    with _served(command, environment, port=port, log=scratch / "bare.log"):
        yield Endpoint(port)


@contextmanager
def ipcraft_site(
    server: PostgreSQL,
    scratch: Path,
    *,
    name: str,
    database_url: str,
    workers: int = WORKERS,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Site]:
    """Serve IPCraft from an empty database; `variables` are settings beside the usual ones."""
    environment = {**os.environ, **settings(database_url), **variables}
    ipcraft(["db", "upgrade"], environment=environment)
    port = free_port()
    command = [str(_program()), "serve", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", str(workers), "--threads", str(THREADS)]
    with _served(command, environment, port=port, log=scratch / f"{name}.log") as process:
        yield Site(Endpoint(port), process.pid, server, database_url, environment)


def organization_command(name: str) -> list[str]:
    """Give the arguments that make an organization without limits."""
    owner = f"{name}@bench.example"
    return ["org", "create", name, "--owner", owner, "--plan", "enterprise", "--json"]


def description(server: PostgreSQL) -> str:
    """Say what the figures were made on."""
    with connection(server.url) as administrator:
        row = administrator.execute(
            "SELECT current_setting('server_version'), current_setting('fsync')"
        ).fetchone()
    version, fsync = row or ("?", "?")
    return (
        f"{os.cpu_count()} cores, Python {platform.python_version()}, "
        f"PostgreSQL {version.split()[0]} (fsync {fsync}), "
        f"gunicorn with {WORKERS} workers of {THREADS} threads"
    )


def settings(database_url: str) -> dict[str, str]:
    """Give the variables that tell IPCraft its database."""
    return {
        "IPCRAFT_DATABASE_URL": database_url,
        "IPCRAFT_SECRET_KEY": secrets.token_hex(32),
        "IPCRAFT_LOG_LEVEL": "warning",
    }


def ipcraft(
    arguments: Sequence[str], *, environment: Mapping[str, str], folder: Path | None = None
) -> bytes:
    """Run an ``ipcraft`` command to its end and give what it printed."""
    done = subprocess.run(
        [str(_program()), *arguments],
        env=dict(environment),
        cwd=folder,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise click.ClickException(f"`ipcraft {' '.join(arguments)}` failed: {said[-2000:]}")
    return done.stdout


def measured(
    arguments: Sequence[str], *, environment: Mapping[str, str], log: Path
) -> tuple[float, int]:
    """Run an ``ipcraft`` command; give its seconds and the most bytes of memory that it held."""
    started = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(_program()), *arguments], env=dict(environment), stdout=output, stderr=output
        )
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        said = log.read_text(errors="replace").strip()
        raise click.ClickException(f"`ipcraft {' '.join(arguments)}` failed: {said[-2000:]}")
    return time.perf_counter() - started, usage.ru_maxrss * 1024


def _plain(url: str) -> str:
    """Turn a SQLAlchemy URL into one that libpq reads."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _program() -> Path:
    return Path(sysconfig.get_path("scripts"), "ipcraft")


@contextmanager
def _served(
    command: Sequence[str], environment: Mapping[str, str], *, port: int, log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=dict(environment), cwd=log.parent, stdout=output, stderr=output
        )
    try:
        _wait(lambda: _ready(port), process, log)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _READY_WITHIN
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            tail = log.read_text(errors="replace")[-3000:]
            raise click.ClickException(f"the server did not get ready; its log ends:\n{tail}")
        time.sleep(0.1)


def _ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()
