"""Statements: compiled once for each database, called with parameters by name."""

from __future__ import annotations

import pytest
from sqlalchemy import Column, Integer, MetaData, select, update
from sqlalchemy.engine import Dialect

from ipcraft.data.statements import Statement, given, own
from ipcraft.data.tables import ExactText, tenant_table
from ipcraft_postgresql.sessions import DIALECT as POSTGRESQL
from ipcraft_sqlite.storage import SQLiteSession

things = tenant_table(
    "things",
    MetaData(),
    Column("id", ExactText, primary_key=True),
    Column("name", ExactText),
    Column("count", Integer),
)
both = pytest.mark.parametrize(
    "dialect", [POSTGRESQL, SQLiteSession.dialect], ids=["postgresql", "sqlite"]
)


@both
def test_a_statement_is_compiled_once(dialect: Dialect) -> None:
    """The second time there is nothing left to do."""
    statement = Statement(select(things))
    assert statement.compile(dialect) is statement.compile(dialect)


@both
def test_arguments_come_in_the_order_of_the_sql(dialect: Dialect) -> None:
    """Parameters are named by the caller and placed by the statement."""
    statement = Statement(
        update(things)
        .where(things.c.organization_id == own(), things.c.id == given("id"))
        .values(name=given("new_name"), count=3)
    )
    compiled = statement.compile(dialect)
    arguments = compiled.arguments({"id": "t1", "new_name": "n"}, "org_1")
    assert arguments == ["n", 3, "org_1", "t1"]


@both
def test_the_callers_organization_does_not_come_in_by_accident(dialect: Dialect) -> None:
    """The organization is the transaction's, and none is an argument of its own."""
    statement = Statement(select(things.c.id).where(things.c.organization_id == own()))
    compiled = statement.compile(dialect)
    assert compiled.arguments({}, "org_1") == ["org_1"]
    assert compiled.arguments({}, None) == [None]


@pytest.mark.parametrize(
    ("dialect", "arguments"), [(POSTGRESQL, ["v"]), (SQLiteSession.dialect, ["v", "v"])]
)
def test_a_parameter_used_twice_is_given_once(dialect: Dialect, arguments: list[str]) -> None:
    """A name stands for the same value wherever it stands; PostgreSQL is even sent it once."""
    statement = Statement(
        select(things.c.id).where((things.c.id == given("x")) | (things.c.name == given("x")))
    )
    assert statement.compile(dialect).arguments({"x": "v"}, None) == arguments


@both
def test_a_missing_parameter_is_an_error(dialect: Dialect) -> None:
    """Nothing is null because somebody forgot it."""
    statement = Statement(select(things.c.id).where(things.c.id == given("id")))
    with pytest.raises(KeyError, match="id"):
        statement.compile(dialect).arguments({}, "org_1")


def test_rows_become_what_the_statement_makes_of_them() -> None:
    """A row is a tuple unless the statement says otherwise."""
    assert Statement(select(things.c.id)).into("a") == ("a",)
    assert Statement(select(things.c.id), str.upper).into("a") == "A"
