"""Usage: how much an organization has of what plans limit."""

from __future__ import annotations

from collections.abc import Container

from sqlalchemy import ColumnElement, FromClause, func, select

from ipcraft.plugin import Row, Statement, Transaction, own
from ipcraft_accounts import metadata as accounts
from ipcraft_ipam import metadata as inventory

_USED = inventory.tables["subnet_usage"]
"""The counters of addresses at their subnets: there are far fewer of them than addresses."""


def _rows(table: FromClause) -> ColumnElement[int]:
    owned = table.c.organization_id == own()
    return select(func.count()).select_from(table).where(owned).scalar_subquery()


def _addresses() -> ColumnElement[int]:
    total = func.coalesce(func.sum(_USED.c.used), 0)
    return select(total).where(_USED.c.organization_id == own()).scalar_subquery()


_PLUGINS = {"users": "accounts", "sections": "ipam", "subnets": "ipam", "addresses": "ipam"}
"""Whose tables each kind is in."""

_COUNTS = {
    "users": _rows(accounts.tables["users"]),
    "sections": _rows(inventory.tables["sections"]),
    "subnets": _rows(inventory.tables["subnets"]),
    "addresses": _addresses(),
}
_ONE: dict[str, Statement[Row]] = {
    name: Statement(select(count)) for name, count in _COUNTS.items()
}


def used(tx: Transaction, resource: str) -> int:
    """Count what the organization has of one kind."""
    return int(tx.value(_ONE[resource]))


def usage(tx: Transaction, plugins: Container[str]) -> dict[str, int]:
    """Count what the organization has of each kind that one of the plugins keeps."""
    return {kind: used(tx, kind) for kind, plugin in _PLUGINS.items() if plugin in plugins}
