"""The records that may match a search's texts, as each database's index gives them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Integer, Select, Table, column, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement

from ipcraft.plugin import given, own
from ipcraft_ipam.search.grams import Sample, trigrams, tsquery
from ipcraft_ipam.search.patterns import Pattern

EVERYTHING = 2**31 - 1
_SPREAD = 32
"""SQLite looks at so many times more candidates than are asked for: they are the oldest ones."""

_MOST_PATTERNS = 4
"""Texts that the index is asked for; the longest ones. All are compared afterwards."""


def filed(table: Table) -> Select[Any]:
    """Give the rows of a table that the index finds, at least `enough` if there are as many.

    Parameters: those of `question`.
    """
    return rows_of(_Filed(table.name), table)


def unfiled(table: Table) -> Select[Any]:
    """Give the same for texts that FTS5 has no trigram of: there each record is looked at."""
    return rows_of(_Unfiled(table.name), table)


def question(
    patterns: Sequence[Pattern], tags: Sequence[str], *, organization_id: str, enough: int
) -> dict[str, Any]:
    """Give the parameters that ask for records with all of these texts."""
    asked = sorted(patterns, key=lambda pattern: -len(pattern.text))[:_MOST_PATTERNS]
    return {
        "samples": "\n".join(tsquery(asked, tags, sample) for sample in Sample),
        "enough": enough,
        "trigrams": trigrams(asked, organization_id),
        "most": min(enough * _SPREAD, EVERYTHING),
        "pattern": asked[0].like,
    }


def rows_of(source: FunctionElement[Any], table: Table) -> Select[Any]:
    """Select what a source gives, which has the columns of the table."""
    columns = [column(each.name, each.type) for each in table.columns]
    return select(*source.table_valued(*columns, name="given").c)


class _Filed(FunctionElement[Any]):
    """Ask the function of the migration, or FTS5."""

    inherit_cache = False

    def __init__(self, table: str) -> None:
        super().__init__(
            given("samples"),
            given("enough", Integer()),
            given("trigrams"),
            own(),
            given("most", Integer()),
            given("pattern"),
        )
        self.table = table


class _Unfiled(_Filed):
    """Ask the function of the migration, or every record."""

    inherit_cache = False


@compiles(_Filed, "postgresql")
def _ask_function(element: _Filed, compiler: SQLCompiler, **options: Any) -> str:
    samples, enough, *_ = element.clauses
    return f"ipam_search_{element.table}({compiler.process(samples)}, {compiler.process(enough)})"


@compiles(_Filed, "sqlite")
def _ask_fts5(element: _Filed, compiler: SQLCompiler, **options: Any) -> str:
    table = element.table
    _, _, asked, organization, most, _ = element.clauses
    return (
        f"(SELECT {table}.* FROM {table}_trigrams CROSS JOIN {table}_search "
        f"ON {table}_search.number = {table}_trigrams.rowid CROSS JOIN {table} "
        f"ON {table}.organization_id = {table}_search.organization_id "
        f"AND {table}.id = {table}_search.id "
        f"WHERE {table}_trigrams MATCH {compiler.process(asked)} "
        f"AND {table}_search.organization_id = {compiler.process(organization)} "
        f"LIMIT {compiler.process(most)})"
    )


@compiles(_Unfiled, "sqlite")
def _ask_all(element: _Unfiled, compiler: SQLCompiler, **options: Any) -> str:
    _, _, _, organization, most, pattern = element.clauses
    return (
        f"(SELECT * FROM {element.table} WHERE organization_id = {compiler.process(organization)} "
        f"AND search_text LIKE {compiler.process(pattern)} ESCAPE '\\' "
        f"LIMIT {compiler.process(most)})"
    )
