"""The fixtures IPCraft gives to pytest. Importing this is cheap: parts load when asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ipcraft.app import Application
    from ipcraft.testing.commands import Command
    from ipcraft.testing.databases import Databases
    from ipcraft.testing.organizations import Organization
    from ipcraft.testing.services import PostgreSQL, Redis
    from ipcraft.testing.serving import Org, Served

__all__ = ["Org", "Served"]

_BACKENDS = ("sqlite", "postgresql")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the choice of storages to run on."""
    parser.addini(
        "ipcraft_backends",
        "storages the fixture `backend` runs each test on",
        type="args",
        default=list(_BACKENDS),
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that uses `backend` on each storage, but not one with its own `backend`."""
    if "backend" in metafunc.fixturenames and not _gives_its_own(metafunc.definition):
        metafunc.parametrize(
            "backend", metafunc.config.getini("ipcraft_backends"), indirect=True, scope="session"
        )


@pytest.fixture(scope="session")
def backend(request: pytest.FixtureRequest) -> str:
    """Name the storage the test runs on."""
    return str(request.param)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """Give a real PostgreSQL server, ours or the environment's."""
    from ipcraft.testing.services import PostgreSQL

    with PostgreSQL.obtain() as server:
        yield server


@pytest.fixture(scope="session")
def redis() -> Iterator[Redis]:
    """Give a real Redis, ours or the environment's; what is in it may be of other tests."""
    from ipcraft.testing.services import Redis

    with Redis.obtain() as server:
        yield server


@pytest.fixture(scope="session")
def databases(
    backend: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Databases:
    """Give the way to fresh databases on the storage of the test."""
    from ipcraft.testing.databases import PostgreSQLDatabases, SQLiteDatabases

    if backend == "sqlite":
        return SQLiteDatabases(tmp_path_factory.mktemp("databases"))
    return PostgreSQLDatabases(request.getfixturevalue("postgresql"))


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """Give a fresh database with every built-in plugin's tables."""
    url = databases.create()
    yield url
    databases.drop(url)


@pytest.fixture
def application(database_url: str) -> Iterator[Application]:
    """Give the application of the built-in plugins on a fresh database."""
    from ipcraft.testing.applications import make_application

    app = make_application(database_url)
    yield app
    app.close()


@pytest.fixture
def organization(application: Application) -> Organization:
    """Give an organization, with a client that speaks for its owner."""
    from ipcraft.testing.organizations import make_organization

    return make_organization(application)


@pytest.fixture
def command(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Give a way to run `ipcraft` on the database, in an empty folder.

    Of the environment's settings only the test application's secret key is there.
    """
    from ipcraft.testing.applications import SECRET_KEY
    from ipcraft.testing.commands import Command

    for name in [name for name in os.environ if name.startswith("IPCRAFT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("IPCRAFT_SECRET_KEY", SECRET_KEY)
    monkeypatch.chdir(tmp_path)
    return Command(database_url)


@pytest.fixture(scope="session")
def served(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give one served process for the session, on each storage."""
    from ipcraft.testing.serving import Served

    with Served(databases.create(), tmp_path_factory.mktemp("served")) as server:
        yield server


def _gives_its_own(test: pytest.Item) -> bool:
    """Tell whether the test is parametrized with something else that is named `backend`."""
    names = (mark.args[0] for mark in test.iter_markers("parametrize") if mark.args)
    return any(
        "backend" in (name.replace(",", " ").split() if isinstance(name, str) else name)
        for name in names
    )
