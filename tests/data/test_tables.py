"""Tables and column types mean the same on every database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, UniqueConstraint, delete, insert, select

from ipcraft.app import Application
from ipcraft.contributions import Migrations
from ipcraft.data.migrations import CORE
from ipcraft.data.statements import Statement, own
from ipcraft.data.tables import ExactText, tenant_table
from ipcraft.data.transactions import Transaction
from ipcraft.testing.organizations import Organization
from ipcraft_ipam.tables import sections

INSERT = Statement(insert(sections))
CLEAR = Statement(delete(sections).where(sections.c.organization_id == own()))
BY_NAME = Statement(
    select(sections.c.name, sections.c.sort_order)
    .where(sections.c.organization_id == own())
    .order_by(sections.c.name, sections.c.id)
)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)


def test_a_tenants_table_leads_with_the_organization() -> None:
    """The organization is the first column, and the first of the primary key."""
    table = tenant_table("things", MetaData(), Column("id", ExactText, primary_key=True))
    assert [column.name for column in table.columns] == ["organization_id", "id"]
    assert [column.name for column in table.primary_key] == ["organization_id", "id"]


def tenant_tables(application: Application) -> Iterator[Any]:
    """Give every table whose rows all are an organization's."""
    histories: list[Migrations] = [CORE, *application.registry.migrations.values()]
    for migrations in histories:
        for table in migrations.metadata.tables.values():
            if "organization_id" in table.c and not table.c.organization_id.nullable:
                yield table


def test_every_key_of_a_tenants_table_holds_the_organization(application: Application) -> None:
    """Two organizations never collide, and a table can be divided by organization."""
    for table in tenant_tables(application):
        assert table.c[0].name == "organization_id", table.name
        keys = [
            constraint for constraint in table.constraints
            if isinstance(constraint, UniqueConstraint) or constraint is table.primary_key
        ]  # fmt: skip
        for key in keys:
            assert "organization_id" in key.columns, (table.name, key)


@pytest.mark.parametrize("number", [0, -1, 2**31, 2**63 - 1, -(2**63)])
def test_whole_numbers_are_kept(
    application: Application, organization: Organization, number: int
) -> None:
    """Sixty-four bits, with sign."""

    def work(tx: Transaction) -> None:
        tx.write(INSERT, **row("a", number))

    application.storage.transact(organization.id, work)
    with application.storage.read(organization.id) as tx:
        assert tx.all(BY_NAME) == [("a", number)]


def test_text_is_kept_and_sorted_byte_by_byte(
    application: Application, organization: Organization
) -> None:
    """Any text but NUL comes back as it was, in the order of its UTF-8 bytes."""

    @settings(max_examples=25, deadline=None, database=None)
    @drawn(st.lists(TEXT, max_size=6))
    def holds(names: list[str]) -> None:
        def work(tx: Transaction) -> list[str]:
            tx.execute(CLEAR)
            for number, name in enumerate(names):
                tx.write(INSERT, **row(name, number))
            return [name for name, _ in tx.all(BY_NAME)]

        found = application.storage.transact(organization.id, work)
        assert found == sorted(names, key=str.encode)

    holds()


def row(name: str, number: int) -> dict[str, Any]:
    """Give a folder as a row."""
    times = {"created_at": 0, "updated_at": 0}
    return {
        "id": f"sec{number}",
        "name": name,
        "description": None,
        "sort_order": number,
        "search_text": None,
        **times,
    }
