"""The walls between tenants in PostgreSQL, with the queries' own filter taken away."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    Connection,
    Executable,
    Table,
    create_engine,
    delete,
    insert,
    make_url,
    select,
    text,
    update,
)
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.pool import NullPool

from ipcraft.plugin import Application, Statement, new_id
from ipcraft.testing import make_organization
from ipcraft_ipam.tables import sections

from .matrix import crossings, everything, names_of_ids, tenant, tenant_tables
from .unfiltered import compile_unfiltered

EVERYBODYS = Statement(select(sections.c.organization_id, sections.c.name))


# SQLite has no row-level security.
pytestmark = pytest.mark.parametrize("backend", ["postgresql"], indirect=True, scope="session")


@pytest.fixture
def owner(application: Application) -> Iterator[Connection]:
    """Look into the catalogue as the owner of the tables."""
    url = make_url(application.settings.database_url)
    engine = create_engine(url.set(drivername="postgresql+psycopg"), poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


def test_a_tenant_sees_only_its_rows_without_any_filter(application: Application) -> None:
    """A query that forgets the organization still sees only the transaction's own."""
    mine, other = make_organization(application), make_organization(application)
    for organization in (mine, other):
        answer = organization.client.post("/api/v1/sections", json={"name": organization.id})
        assert answer.status_code == 201
    with application.storage.read(mine.id) as tx:
        assert tx.all(EVERYBODYS) == [(mine.id, mine.id)]
    with application.storage.read_system() as tx:
        assert {row[0] for row in tx.all(EVERYBODYS)} == {mine.id, other.id}


def test_every_tenant_table_is_walled_off(owner: Connection) -> None:
    """Each table with an organization has row-level security, forced, and the tenant's policy."""
    tables = owner.execute(
        text(
            "SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity, EXISTS ("
            "SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'tenant') "
            "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
            "WHERE a.attname = 'organization_id' AND c.relkind = 'r'"
        )
    ).all()
    assert {"events", "users", "api_keys", "subnets", "addresses"} <= {row[0] for row in tables}
    assert [row for row in tables if row[1:] != (True, True, True)] == []


def test_the_serving_role_is_bound(owner: Connection) -> None:
    """The role that tenants' transactions take can neither log in nor pass row-level security."""
    role = owner.execute(
        text(
            "SELECT rolcanlogin, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = 'ipcraft_app'"
        )
    ).one()
    assert tuple(role) == (False, False, False)


def test_the_wall_holds_without_any_filter(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every route stays shut when no statement asks for its own organization any more."""
    tenants = [tenant(make_organization(application)) for _ in range(3)]
    application.job_queue.close()  # what was asked for is done, and nothing more is
    before = everything(application)
    monkeypatch.setattr(Statement, "compile", compile_unfiltered)
    assert list(crossings(application.routes, tenants, names_of_ids(application))) == []
    assert everything(application) == before


def test_no_table_shows_or_gives_away_a_row_of_another(
    application: Application, owner: Connection
) -> None:
    """In each table a tenant reads, changes and deletes its own row alone, with no WHERE."""
    mine, other = new_id("org"), new_id("org")
    tables = tenant_tables(application)
    for table, organization_id in product(tables, (mine, other)):
        owner.execute(insert(table).values(some_row(table, organization_id)))
    become(owner, mine)
    for table in tables:
        owned = table.c.organization_id
        assert owner.execute(select(owned)).scalars().all() == [mine], table.name
        assert owner.execute(update(table).values({owned: owned})).rowcount == 1, table.name
        refused(owner, update(table).values({owned: other}))
        refused(owner, insert(table).values(some_row(table, other)))
    for table in reversed(tables):
        assert owner.execute(delete(table)).rowcount == 1, table.name
    owner.execute(text("RESET ROLE"))
    for table in tables:
        assert owner.execute(select(table.c.organization_id)).scalars().all() == [other]


def test_no_table_shows_anything_without_a_tenant(
    application: Application, owner: Connection
) -> None:
    """The serving role for nobody reads nothing and writes nothing."""
    somebody = new_id("org")
    tables = tenant_tables(application)
    for table in tables:
        owner.execute(insert(table).values(some_row(table, somebody)))
    become(owner, "")
    for table in reversed(tables):
        assert owner.execute(select(table.c.organization_id)).all() == [], table.name
        assert owner.execute(delete(table)).rowcount == 0, table.name
        refused(owner, insert(table).values(some_row(table, new_id("org"))))


def become(connection: Connection, organization_id: str) -> None:
    """Go on as the serving role, for an organization."""
    connection.execute(text("SET LOCAL ROLE ipcraft_app"))
    connection.execute(text(f"SET LOCAL ipcraft.org = '{organization_id}'"))


def refused(connection: Connection, statement: Executable) -> None:
    """Expect that the database refuses a row of another organization."""
    attempt = connection.begin_nested()
    with pytest.raises(ProgrammingError, match="row-level security"):
        connection.execute(statement)
    attempt.rollback()


def some_row(table: Table, organization_id: str) -> dict[str, Any]:
    """Give a row of any table; texts, ids among them, are the organization's id."""
    return {column.name: some_value(column, organization_id) for column in table.columns}


def some_value(column: Column[Any], organization_id: str) -> object:
    """Give a value of the column's type."""
    values: dict[type, object] = {
        str: organization_id,
        bytes: organization_id.encode(),
        int: 1,
        bool: False,
    }
    kind = column.type.python_type
    assert kind in values, f"{column.table.name}.{column.name}: add a {kind.__name__} to `values`"
    return values[kind]
