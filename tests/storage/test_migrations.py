"""Migrations make the tables that the code works with."""

from __future__ import annotations

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, make_url
from sqlalchemy.pool import NullPool

from ipcraft.data.migrations import CORE
from ipcraft.plugin import Application


def test_tables_are_as_migrated(application: Application) -> None:
    """For no plugin would Alembic generate a further step."""
    url = make_url(application.settings.database_url)
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    histories = {"ipcraft": CORE, **application.registry.migrations}
    with create_engine(url, poolclass=NullPool).connect() as connection:
        for name, migrations in histories.items():
            own = set(migrations.metadata.tables)

            def ours(item: Any, key: str, kind: str, *_: Any, own: set[str] = own) -> bool:
                return key in own if kind == "table" else not is_of_one_database(item, kind)

            context = MigrationContext.configure(
                connection, opts={"include_object": ours, "compare_type": False}
            )
            assert compare_metadata(context, migrations.metadata) == [], name


def is_of_one_database(item: Any, kind: str) -> bool:
    """Tell an index that only one of the databases has, or has with other columns."""
    return kind == "index" and (
        item.name == "events_without_sequence"
        or item.dialect_options["postgresql"]["using"] == "gin"
    )


def test_a_second_upgrade_does_nothing(application: Application) -> None:
    """Every history is at its head, and stays there."""
    before = application.storage.upgrade()
    assert [each.plugin for each in before if each.current != each.head] == []
    assert application.storage.status() == before
