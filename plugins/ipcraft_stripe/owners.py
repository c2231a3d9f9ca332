"""Owners: who pays for an organization, and is told about it."""

from __future__ import annotations

from sqlalchemy import select

from ipcraft.plugin import Reader, Row, Statement, given, own
from ipcraft_accounts import organizations, users

_OWN = users.c.organization_id == own()
_OWNERS = Statement(
    select(users.c.id).where(_OWN, users.c.role == "owner").order_by(users.c.id), str
)
_EMAIL: Statement[Row] = Statement(select(users.c.email).where(_OWN, users.c.id == given("id")))
_NAME: Statement[Row] = Statement(
    select(organizations.c.name).where(organizations.c.organization_id == own())
)


def owners(reader: Reader) -> list[str]:
    """Give the ids of the organization's owners, the oldest first."""
    return reader.all(_OWNERS)


def email_of(reader: Reader, user_id: str) -> str | None:
    """Give a user's address, None if there is no such user any more."""
    email: str | None = reader.value(_EMAIL, id=user_id)
    return email


def organization_name(reader: Reader) -> str:
    """Give the organization's name."""
    return str(reader.value(_NAME))


def whom_to_bill(reader: Reader) -> tuple[str, str | None]:
    """Give the name and the address that stand on a bill: the organization's, its first owner's."""
    first = owners(reader)[0]
    return organization_name(reader), email_of(reader, first)
