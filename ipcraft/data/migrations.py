"""Migrations: one linear Alembic history and one version table per plugin.

All plugins' histories move in one transaction: an upgrade happens whole or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from ipcraft.answers.tables import metadata as core_metadata
from ipcraft.contributions import Migrations, StorageStatus

SERVING_ROLE = "serving_role"
"""Key of the connection's info that names the PostgreSQL role which row-level security binds."""

CORE = Migrations(core_metadata, Path(__file__).parent.parent / "migrations")
"""The core's own tables, migrated like a plugin's."""


class MigrationOperations(Protocol):
    """Be what a migration imports as ``op``: a module, which looks like Alembic's `Operations`."""

    def get_bind(self) -> Connection:
        """Give the connection that is migrated."""
        ...

    def execute(self, sqltext: str) -> None:
        """Run a statement."""


def upgrade(connection: Connection, histories: Mapping[str, Migrations]) -> list[StorageStatus]:
    """Bring every history to its head, in order; return where each one was.

    The caller's connection is in a transaction and holds a lock against a second upgrade.
    """
    before = status(connection, histories)
    for plugin, migrations in histories.items():
        _run(connection, plugin, migrations)
    return before


def status(connection: Connection, histories: Mapping[str, Migrations]) -> list[StorageStatus]:
    """Say for each history which revision the database is at and which one is the newest."""
    return [
        StorageStatus(plugin, _current(connection, plugin), _head(migrations))
        for plugin, migrations in histories.items()
    ]


def outdated(statuses: list[StorageStatus]) -> str | None:
    """Return one sentence when a history is not at its head, else None."""
    behind = [entry.plugin for entry in statuses if entry.current != entry.head]
    if not behind:
        return None
    return f"the tables of {', '.join(behind)} are not up to date: run `ipcraft db upgrade`"


def protect(op: MigrationOperations, table: str) -> None:
    """Wall off a tenant table in its migration: only the transaction's organization is seen.

    On PostgreSQL: row-level security, forced, with one policy for the serving role and one
    for the owner, who works across organizations. Elsewhere the queries' own filter is all.
    Source: https://www.postgresql.org/docs/current/ddl-rowsecurity.html
    """
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    role = connection.info[SERVING_ROLE]
    for statement in (
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        (
            f'CREATE POLICY tenant ON {table} TO "{role}" USING '
            "(organization_id = NULLIF(current_setting('ipcraft.org', true), ''))"
        ),
        f"CREATE POLICY system ON {table} TO CURRENT_USER USING (true)",
        f'GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO "{role}"',
    ):
        op.execute(statement)


def _version_table(plugin: str) -> str:
    return f"alembic_version_{plugin}"


def _current(connection: Connection, plugin: str) -> str | None:
    context = MigrationContext.configure(connection, opts={"version_table": _version_table(plugin)})
    return context.get_current_revision()


def _script(migrations: Migrations) -> ScriptDirectory:
    return ScriptDirectory(
        str(migrations.versions.parent), version_locations=[str(migrations.versions)]
    )


def _head(migrations: Migrations) -> str:
    head = _script(migrations).get_current_head()
    if head is None:
        raise LookupError(f"no migration in {migrations.versions}")
    return head


def _run(connection: Connection, plugin: str, migrations: Migrations) -> None:
    script = _script(migrations)

    def steps(revision: Any, _: MigrationContext) -> Any:
        return script._upgrade_revs("head", revision)  # what `alembic upgrade head` calls itself

    with EnvironmentContext(Config(), script, fn=steps) as environment:
        environment.configure(
            connection=connection,
            target_metadata=migrations.metadata,
            version_table=_version_table(plugin),
        )
        environment.run_migrations()
