"""Members: a person together with the organization they belong to."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, select

from ipcraft.plugin import NotFound, Row, Statement, Storage, Transaction, given, own
from ipcraft_accounts.organizations import Organization
from ipcraft_accounts.tables import organizations, users
from ipcraft_accounts.users import User


@dataclass(frozen=True, slots=True)
class Member:
    """Hold a user and the user's organization."""

    organization: Organization
    user: User


Sender = tuple[Organization, User | None]
"""The organization behind a request, and the user of it who is meant, if any."""


def _sender(row: Row) -> Sender:
    organization, user = row[:4], row[4:]
    return Organization(*organization), User(*user) if user[0] else None


def _member(row: Row) -> Member:
    return Member(Organization(*row[:4]), User(*row[4:]))


_COLUMNS = (
    organizations.c.organization_id,
    organizations.c.name,
    organizations.c.plan,
    organizations.c.created_at,
    users.c.id,
    users.c.email,
    users.c.name,
    users.c.role,
    users.c.created_at,
)
_OF_ORGANIZATION = users.c.organization_id == organizations.c.organization_id
_SENDER = Statement(
    select(*_COLUMNS)
    .select_from(organizations)
    .outerjoin(users, and_(_OF_ORGANIZATION, users.c.id == given("user_id")))
    .where(organizations.c.organization_id == own()),
    lambda *row: _sender(row),
)
_BY_EMAIL = Statement(
    select(*_COLUMNS)
    .join_from(users, organizations, _OF_ORGANIZATION)
    .where(users.c.email == given("email")),
    lambda *row: _member(row),
)


def find_sender(tx: Transaction, user_id: str | None) -> Sender:
    """Give the transaction's organization and its user of this id, None when it has none."""
    sender = tx.one(_SENDER, user_id=user_id)
    if sender is None:
        raise NotFound("the organization does not exist any more")
    return sender


def find_member(storage: Storage, email: str) -> Member | None:
    """Give the one user of this address, among all organizations. It is in its stored form."""
    return storage.look_up(_BY_EMAIL, email=email)
