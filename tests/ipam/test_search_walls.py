"""The functions that search as the owner of the tables: what a tenant cannot make them do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.pool import NullPool

from ipcraft.app import Application
from ipcraft.testing.organizations import Organization, make_organization
from ipcraft_ipam.search.grams import ADDRESS_TAGS, SALT, Sample, tsquery
from ipcraft_ipam.search.patterns import Pattern

# SQLite has no functions that run as somebody else.
pytestmark = pytest.mark.parametrize("backend", ["postgresql"], indirect=True, scope="session")

FIND = text("SELECT hostname FROM ipam_search_addresses(:samples, 1000)")
SALT_OF = text("SELECT left(encode(substr(int8send(hashtextextended(:id, 0)), 4), 'base64'), 7)")
QUESTION = tsquery([Pattern("web")], ADDRESS_TAGS, Sample.ALL)


@pytest.fixture
def owner(application: Application) -> Iterator[Connection]:
    """Be connected as the owner of the tables."""
    url = make_url(application.settings.database_url)
    engine = create_engine(url.set(drivername="postgresql+psycopg"), poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


@pytest.fixture
def mine(application: Application) -> Organization:
    """Make an organization with one address."""
    return with_address(application, "web-mine")


@pytest.fixture
def theirs(application: Application) -> Organization:
    """Make another one."""
    return with_address(application, "web-theirs")


@pytest.fixture
def leaking(owner: Connection) -> Iterator[None]:
    """Put a function in the place of the other that gives every tenant's rows."""
    right = text("SELECT pg_get_functiondef('ipam_search_addresses'::regproc)")
    definition: str = owner.scalar(right)
    owner.exec_driver_sql(
        "CREATE OR REPLACE FUNCTION ipam_search_addresses(samples text, enough integer) "
        "RETURNS SETOF addresses LANGUAGE sql STABLE SECURITY DEFINER "
        "AS $$ SELECT * FROM addresses $$"
    )
    owner.commit()
    yield
    owner.execute(text(definition.replace(":", r"\:")))
    owner.commit()


def with_address(application: Application, hostname: str) -> Organization:
    """Make an organization with one address."""
    organization = make_organization(application)
    subnet = organization.client.post("/api/v1/subnets", json={"network": "10.0.0.0/24"}).json
    path = f"/api/v1/subnets/{subnet['id']}/addresses"
    body = {"ip": "10.0.0.1", "hostname": hostname}
    assert organization.client.post(path, json=body).status_code == 201
    return organization


def become(connection: Connection, organization_id: str) -> None:
    """Go on as the serving role, for an organization."""
    connection.execute(text("SET LOCAL ROLE ipcraft_app"))
    connection.execute(text(f"SET LOCAL ipcraft.org = '{organization_id}'"))


def found(connection: Connection, samples: str = QUESTION) -> list[Any]:
    """Call the function."""
    return list(connection.execute(FIND, {"samples": samples}).scalars())


def test_a_tenant_finds_its_own_rows(
    owner: Connection, mine: Organization, theirs: Organization
) -> None:
    """The function asks for the transaction's tenant, whatever it is asked for."""
    become(owner, mine.id)
    assert found(owner) == ["web-mine"]
    assert found(owner, "!'x'") == ["web-mine"]
    owner.execute(text(f"SET LOCAL ipcraft.org = '{theirs.id}'"))
    assert found(owner) == ["web-theirs"]


def test_the_lists_of_another_tenant_give_nothing(
    owner: Connection, mine: Organization, theirs: Organization
) -> None:
    """Who knows what another's pieces are filed under reads none of its rows by that."""
    salt: str = owner.scalar(SALT_OF, {"id": theirs.id})
    become(owner, mine.id)
    assert found(owner, QUESTION.replace(SALT, salt)) == []
    assert found(owner, f"{QUESTION} | {QUESTION.replace(SALT, salt)}") == ["web-mine"]


def test_nobody_finds_nothing(owner: Connection, mine: Organization) -> None:
    """Without a tenant there are no rows."""
    become(owner, "")
    assert found(owner) == []
    owner.execute(text("RESET ipcraft.org"))
    assert found(owner) == []


def test_a_search_path_of_ones_own_changes_nothing(
    owner: Connection, mine: Organization, theirs: Organization
) -> None:
    """Names that a tenant puts in the way are not looked at."""
    owner.execute(
        text(
            "GRANT TEMPORARY ON DATABASE CURRENT TO PUBLIC".replace(
                "CURRENT", f'"{make_url(str(owner.engine.url)).database}"'
            )
        )
    )
    become(owner, mine.id)
    owner.execute(text("CREATE TEMP TABLE addresses (hostname text)"))
    owner.execute(
        text(
            "CREATE FUNCTION pg_temp.current_setting(text, boolean) RETURNS text "
            f"LANGUAGE sql AS $$ SELECT '{theirs.id}' $$"
        )
    )
    owner.execute(text("SET LOCAL search_path = pg_temp, public, pg_catalog"))
    assert list(
        owner.execute(
            text("SELECT hostname FROM public.ipam_search_addresses(:samples, 10)"),
            {"samples": QUESTION},
        ).scalars()
    ) == ["web-mine"]


def test_only_the_serving_role_may_call_them(owner: Connection) -> None:
    """These are all functions that run as their owner; their search path is pinned."""
    rows = owner.execute(
        text(
            "SELECT proname, proconfig, EXISTS (SELECT FROM aclexplode(proacl) a "
            "WHERE a.grantee = 0) FROM pg_proc WHERE prosecdef "
            "AND pronamespace = 'public'::regnamespace ORDER BY proname"
        )
    ).all()
    assert [row[0] for row in rows] == ["ipam_search_addresses", "ipam_search_subnets"]
    assert all("search_path=pg_catalog, pg_temp" in row[1] for row in rows)
    assert not any(row[2] for row in rows)


def test_a_question_that_is_none_is_an_error_without_a_row(
    owner: Connection, mine: Organization
) -> None:
    """What is no question is no SQL either."""
    become(owner, mine.id)
    with pytest.raises(ProgrammingError, match="syntax error in tsquery"):
        found(owner, "'; DROP TABLE addresses; --")


def test_a_function_without_its_filter_shows_nobody_elses_rows(
    leaking: None, mine: Organization, theirs: Organization
) -> None:
    """What the function finds is read anew under row-level security before it is shown."""
    found = mine.client.get("/api/v1/search", params={"q": "web"}).json["addresses"]
    assert [each["hostname"] for each in found] == ["web-mine"]
