"""Erasing an organization: every row of it in the tables of every plugin."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Table, delete
from sqlalchemy.schema import sort_tables

from ipcraft.contributions import Migrations
from ipcraft.data.statements import Row, Statement, own
from ipcraft.data.transactions import Transaction

_OWNER = "organization_id"


class Erasure:
    """Delete what belongs to a transaction's organization.

    The tables are all those of the histories that have an ``organization_id``; a row goes
    before the rows that it refers to, whichever plugin's they are.
    """

    __slots__ = ("_deletions",)

    def __init__(self, histories: Iterable[Migrations]) -> None:
        tables = [table for history in histories for table in tenant_tables(history)]
        self._deletions = [_deletion(table) for table in reversed(sort_tables(tables))]

    def run(self, tx: Transaction) -> None:
        """Delete every row, now."""
        for deletion in self._deletions:
            tx.execute(deletion)


def tenant_tables(history: Migrations) -> list[Table]:
    """Give the tables whose rows belong to organizations."""
    return [table for table in history.metadata.tables.values() if _OWNER in table.c]


def _deletion(table: Table) -> Statement[Row]:
    return Statement(delete(table).where(table.c[_OWNER] == own()))
