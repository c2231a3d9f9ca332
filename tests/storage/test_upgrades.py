"""Upgrades: one history for each plugin, all of them or none, one at a time."""

from __future__ import annotations

import importlib.util
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from alembic.script import ScriptDirectory

from ipcraft.app import Application, create_application
from ipcraft.config import load_settings
from ipcraft.data.migrations import CORE
from ipcraft.testing.databases import Databases


def test_histories_are_linear(application: Application) -> None:
    """Each plugin has one first migration, one newest, and no fork between them."""
    for name, migrations in {"ipcraft": CORE, **application.registry.migrations}.items():
        script = ScriptDirectory(
            str(migrations.versions.parent), version_locations=[str(migrations.versions)]
        )
        assert len(script.get_bases()) == 1, name
        assert len(script.get_heads()) == 1, name
        revisions = list(script.walk_revisions())
        assert all(not isinstance(each.down_revision, tuple) for each in revisions), name
        assert not any(each.branch_labels or each.dependencies for each in revisions), name


def test_no_two_plugins_share_a_table(application: Application) -> None:
    """A table belongs to one plugin."""
    tables = [
        table
        for migrations in (CORE, *application.registry.migrations.values())
        for table in migrations.metadata.tables
    ]
    assert len(set(tables)) == len(tables)


def test_migrations_ship_with_their_plugins(application: Application) -> None:
    """A plugin's migrations lie in its package, so that its wheel has them."""
    for name, migrations in application.registry.migrations.items():
        plugin = next(each for each in application.registry.plugins if each.name == name)
        spec = importlib.util.find_spec(plugin.module)
        assert spec is not None
        assert spec.submodule_search_locations is not None
        assert str(migrations.versions.parent) in spec.submodule_search_locations


def test_an_empty_database_is_not_ready_and_says_why(databases: Databases) -> None:
    """Before the first upgrade the storage names the command to run."""
    url = databases.create_empty()
    app = open_application(url)
    problem = app.storage.check()
    app.storage.close()
    databases.drop(url)
    assert problem is not None
    assert "ipcraft db upgrade" in problem


def test_two_upgrades_at_once(databases: Databases) -> None:
    """Nodes that start together may all upgrade: one does, the others find it done."""
    url = databases.create_empty()
    apps = [open_application(url) for _ in range(4)]
    with ThreadPoolExecutor(len(apps)) as pool:
        before = list(pool.map(lambda app: app.storage.upgrade(), apps))
    assert sorted(all(each.current is None for each in status) for status in before) == [
        False,
        False,
        False,
        True,
    ]
    for app in apps:
        assert all(each.current == each.head for each in app.storage.status())
        assert app.storage.check() is None
        app.storage.close()
    databases.drop(url)


def open_application(url: str) -> Application:
    """Open an application without upgrading its database."""
    return create_application(
        load_settings(path=Path("/dev/null"), environ={}, overrides={"database_url": url})
    )
