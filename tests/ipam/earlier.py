"""Ways back to the tables of an earlier version, to test the upgrade from there."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import create_engine, make_url, text

from ipcraft.app import Application

_AT = "UPDATE alembic_version_ipam SET version_num = '{revision}'"
_TABLES = ("subnets", "addresses")
_REGISTERS = ("sections", "vrfs", "vlans")
_SEARCH = {
    "sqlite": (
        "DROP TRIGGER {table}_search_added",
        "DROP TRIGGER {table}_search_removed",
        "DROP TRIGGER {table}_search_changed",
        "DROP TABLE {table}_trigrams",
        "DROP TABLE {table}_search",
    ),
    "postgresql": (
        "DROP FUNCTION ipam_search_{table}",
        "DROP INDEX ix_{table}_search",
    ),
}


def go_back(application: Application, revision: str, statements: Iterable[str] = ()) -> None:
    """Undo the search and what the statements undo, and say that the tables are at the revision."""
    url = make_url(application.settings.database_url)
    backend = "sqlite" if url.drivername == "sqlite" else "postgresql"
    driver = "sqlite" if backend == "sqlite" else "postgresql+psycopg"
    undo = [each.format(table=table) for table in _TABLES for each in _SEARCH[backend]]
    if backend == "postgresql":
        undo.append("DROP FUNCTION ipam_search_pieces")
    undo += [f"ALTER TABLE {table} DROP COLUMN search_text" for table in (*_TABLES, *_REGISTERS)]
    engine = create_engine(url.set(drivername=driver))
    with engine.begin() as connection:
        for statement in (*undo, *statements, _AT.format(revision=revision)):
            connection.execute(text(statement))
    engine.dispose()
