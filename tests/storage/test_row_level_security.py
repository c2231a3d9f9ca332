"""The walls between tenants in PostgreSQL, with the queries' own filter taken away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine, make_url, select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.pool import NullPool

from ipcraft.plugin import Application, Statement
from ipcraft.testing import make_organization
from ipcraft_ipam.tables import sections

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


def test_no_tenant_means_no_rows(application: Application, owner: Connection) -> None:
    """The serving role without a tenant sees nothing."""
    organization = make_organization(application)
    organization.client.post("/api/v1/sections", json={"name": "Production"})
    assert owner.execute(text("SELECT count(*) FROM sections")).scalar_one() == 1
    owner.execute(text("SET LOCAL ROLE ipcraft_app"))
    assert owner.execute(text("SELECT count(*) FROM sections")).scalar_one() == 0


def test_a_tenant_cannot_write_for_another(application: Application, owner: Connection) -> None:
    """A row of another organization is refused by the database itself."""
    mine, other = make_organization(application), make_organization(application)
    owner.execute(text("SET LOCAL ROLE ipcraft_app"))
    owner.execute(text(f"SET LOCAL ipcraft.org = '{mine.id}'"))
    with pytest.raises(ProgrammingError, match="row-level security"):
        owner.execute(
            text(
                "INSERT INTO sections (organization_id, id, name, sort_order, created_at, "
                f"updated_at) VALUES ('{other.id}', 'sec_1', 'x', 0, 0, 0)"
            )
        )
