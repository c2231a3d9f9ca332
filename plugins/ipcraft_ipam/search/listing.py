"""Lists of ids as one parameter of a statement: an array in JSON, whose length is no matter."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Boolean, ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement

from ipcraft.plugin import given


def listed(ids: Iterable[str]) -> str:
    """Write ids as such a parameter."""
    return json.dumps(list(ids))


class one_of(FunctionElement[bool]):  # noqa: N801 - reads as a function in statements
    """Ask whether a column is one of those listed in a parameter; of none, if that is null."""

    type = Boolean()
    inherit_cache = False

    def __init__(self, column: ColumnElement[Any], name: str) -> None:
        super().__init__(column, given(name))


@compiles(one_of, "postgresql")
def _in_array(element: one_of, compiler: SQLCompiler, **options: Any) -> str:
    column, listed_ids = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} = ANY (ARRAY(SELECT json_array_elements_text(CAST({listed_ids} AS json))))"


@compiles(one_of, "sqlite")
def _in_list(element: one_of, compiler: SQLCompiler, **options: Any) -> str:
    column, listed_ids = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({listed_ids}))"
