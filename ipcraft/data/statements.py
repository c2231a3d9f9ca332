"""Statements: SQLAlchemy Core at import, plain SQL at run time.

PERF: executing Core objects costs 250 us a statement over the driver's own 100 us; compiled
once per dialect and handed to the driver, a statement costs what the driver costs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Generic, TypeVar, overload

from sqlalchemy import BindParameter, bindparam
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.types import TypeEngine

from ipcraft.data.tables import ExactText

R = TypeVar("R")
Row = tuple[Any, ...]


def own() -> BindParameter[str]:
    """Stand for the transaction's organization in a statement; the transaction fills it in."""
    return bindparam("organization_id", type_=ExactText)


def given(name: str, kind: TypeEngine[Any] = ExactText) -> BindParameter[Any]:
    """Stand for a parameter that the caller passes by name."""
    return bindparam(name, type_=kind)


@dataclass(frozen=True, slots=True)
class CompiledStatement:
    """Hold a statement's SQL and the order of its parameters in one dialect."""

    sql: str
    names: tuple[str, ...]
    constants: Mapping[str, Any]
    independent: bool = False
    one_plan: bool = False
    _pick: Callable[[Mapping[str, Any]], Sequence[Any]] = field(
        init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "_pick", _picking(self.names))

    def arguments(self, parameters: Mapping[str, Any], organization_id: str | None) -> list[Any]:
        """Put the parameters in the order of the SQL."""
        known = {**self.constants, "organization_id": organization_id, **parameters}
        return list(self._pick(known))


def _picking(names: Sequence[str]) -> Callable[[Mapping[str, Any]], Sequence[Any]]:
    """Give what picks the values of these names. PERF: it is no Python where there are several."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda known: [known[name] for name in names]


def as_tuple(*values: Any) -> Row:
    """Leave a row as it is."""
    return values


class Statement(Generic[R]):
    """Be one SQL statement, made at import and compiled once per dialect.

    `into` makes a result of each row's columns, by default a tuple. A constructor of a
    dataclass fits. A write that is `independent` neither reads nor changes a row that another
    write queued beside it changes; a storage may send such writes first, as one statement. What is
    queued before such a write comes a second time goes before it. A query that has `one_plan` is
    planned once, whatever its parameters, and so is what follows it in a transaction: for one that
    goes by keys, though it does not look so.
    """

    __slots__ = ("_compiled", "clause", "independent", "into", "one_plan")

    @overload
    def __init__(
        self: Statement[Row],
        clause: ClauseElement,
        *,
        independent: bool = False,
        one_plan: bool = False,
    ) -> None: ...
    @overload
    def __init__(
        self,
        clause: ClauseElement,
        into: Callable[..., R],
        *,
        independent: bool = False,
        one_plan: bool = False,
    ) -> None: ...
    def __init__(
        self,
        clause: ClauseElement,
        into: Callable[..., Any] = as_tuple,
        *,
        independent: bool = False,
        one_plan: bool = False,
    ) -> None:
        self.clause = clause
        self.into = into
        self.independent = independent
        self.one_plan = one_plan
        self._compiled: dict[str, CompiledStatement] = {}

    def compile(self, dialect: Dialect) -> CompiledStatement:
        """Give the SQL for the dialect, from the second call on without work."""
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = _compile(self, dialect)
        return compiled


def _compile(statement: Statement[Any], dialect: Dialect) -> CompiledStatement:
    compiler = statement.clause.compile(dialect=dialect)
    assert isinstance(compiler, SQLCompiler), "only statements are executed"
    constants = {name: bind.value for name, bind in compiler.binds.items() if not bind.required}
    names = tuple(compiler.positiontup or ())
    return CompiledStatement(
        compiler.string,
        names,
        constants,
        independent=statement.independent,
        one_plan=statement.one_plan,
    )
