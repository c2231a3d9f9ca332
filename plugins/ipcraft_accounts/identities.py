"""Identities: the person and the organization behind a request."""

from __future__ import annotations

from sqlalchemy import and_, select

from ipcraft.plugin import NotFound, Statement, Transaction, given, own
from ipcraft_accounts.organizations import Organization
from ipcraft_accounts.tables import organizations, users
from ipcraft_accounts.users import User

Member = tuple[Organization, User | None]
"""An organization and the user of it who is meant, if any."""


def _member(organization: tuple[str, str, str], user: tuple[str, str, str, str]) -> Member:
    return Organization(*organization), User(*user) if user[0] else None


_MEMBER = Statement(
    select(
        organizations.c.organization_id,
        organizations.c.name,
        organizations.c.plan,
        users.c.id,
        users.c.email,
        users.c.name,
        users.c.role,
    )
    .select_from(organizations)
    .outerjoin(
        users,
        and_(
            users.c.organization_id == organizations.c.organization_id,
            users.c.id == given("user_id"),
        ),
    )
    .where(organizations.c.organization_id == own()),
    lambda *row: _member(row[:3], row[3:]),
)


def find_member(tx: Transaction, user_id: str | None) -> Member:
    """Give the transaction's organization and its user of this id, None when it has none."""
    member = tx.one(_MEMBER, user_id=user_id)
    if member is None:
        raise NotFound("the organization does not exist any more")
    return member
