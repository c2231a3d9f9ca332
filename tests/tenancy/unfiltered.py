"""Statements without their own filter on the organization: what is left is the database's wall."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import BinaryExpression, BindParameter, ColumnElement, true
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.visitors import replacement_traverse

from ipcraft.data.statements import CompiledStatement, Statement, own

_compile = Statement.compile
_made: WeakKeyDictionary[Any, Statement[Any]] = WeakKeyDictionary()


def compile_unfiltered(statement: Statement[Any], dialect: Dialect) -> CompiledStatement:
    """Compile a statement as if nobody had written ``organization_id == own()`` in it."""
    clause = statement.clause
    if clause not in _made:
        bare: Any = replacement_traverse(clause, {}, _without_filter)
        _made[clause] = Statement(bare, statement.into, independent=statement.independent)
    return _compile(_made[clause], dialect)


def _without_filter(element: Any, **_: Any) -> ColumnElement[bool] | None:
    if not isinstance(element, BinaryExpression):
        return None
    sides = (element.left, element.right)
    is_filter = any(isinstance(side, BindParameter) and side.key == own().key for side in sides)
    return true() if is_filter else None
