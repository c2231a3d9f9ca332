"""Plans of statements, as a tenant's connection makes them."""

# pyright: reportArgumentType=false, reportCallIssue=false
# The statements here are put together from our own names; psycopg asks for literals.

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg

from ipcraft.data.statements import Statement
from ipcraft_postgresql.sessions import DIALECT

Link = psycopg.Connection[tuple[Any, ...]]


def copy(link: Link, target: str, rows: list[tuple[Any, ...]]) -> None:
    """Load rows."""
    with link.cursor() as cursor, cursor.copy(f"COPY {target} FROM STDIN") as writer:
        for row in rows:
            writer.write_row(row)


def explain(
    link: Link,
    statement: Statement[Any],
    parameters: dict[str, Any],
    *,
    plan: str,
    organization: str,
) -> dict[str, Any]:
    """Run a statement as its tenant, twice, and give the second one's plan."""
    compiled = statement.compile(DIALECT)
    arguments = compiled.arguments(parameters, organization)
    types = ", ".join("bytea" if isinstance(each, bytes) else "unknown" for each in arguments)
    sql, places = compiled.sql, ", ".join(["%s"] * len(arguments))
    for number in range(1, len(arguments) + 1):
        sql = sql.replace("%s", f"${number}", 1)
    with closing(psycopg.ClientCursor(link)) as cursor:
        try:
            cursor.execute("BEGIN")
            cursor.execute("SET LOCAL ROLE ipcraft_app")
            cursor.execute(f"SET LOCAL ipcraft.org = '{organization}'")
            cursor.execute(f"SET LOCAL plan_cache_mode = {plan}")
            cursor.execute(f"PREPARE hot ({types}) AS {sql.replace('%%', '%')}".replace("%", "%%"))
            options = "ANALYZE, BUFFERS, FORMAT JSON"
            cursor.execute(f"EXPLAIN ({options}) EXECUTE hot({places})", arguments)
            cursor.execute(f"EXPLAIN ({options}) EXECUTE hot({places})", arguments)
            row = cursor.fetchone()
        finally:
            cursor.execute("ROLLBACK")
            cursor.execute("DEALLOCATE ALL")
    assert row is not None
    top: dict[str, Any] = row[0][0]["Plan"]
    return top


def walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give a plan's nodes."""
    yield node
    for inner in node.get("Plans", ()):
        yield from walk(inner)
