"""Users: the people of an organization."""

from __future__ import annotations

from dataclasses import dataclass

from marshmallow import ValidationError
from marshmallow.validate import Email
from sqlalchemy import insert, select

from ipcraft.plugin import Change, Invalid, Statement, Storage, Transaction, given, new_id, own
from ipcraft_accounts.tables import users

LONGEST_EMAIL = 254
"""Characters of an address that mail can be sent to (RFC 5321, section 4.5.3.1)."""


@dataclass(frozen=True, slots=True)
class User:
    """Hold one user."""

    id: str
    email: str
    name: str
    role: str


_COLUMNS = (users.c.id, users.c.email, users.c.name, users.c.role)
_INSERT = Statement(insert(users))
_OWNER = Statement(
    select(*_COLUMNS)
    .where(users.c.organization_id == own(), users.c.role == "owner")
    .order_by(users.c.id)
    .limit(1),
    User,
)
_BY_EMAIL = Statement(select(users.c.id).where(users.c.email == given("email")))
_is_email = Email()


def normalize_email(text: str) -> str:
    """Give the address in the one form that is stored: lower case, no blanks around.

    Raises `Invalid` for what is no address.
    """
    email = text.strip().lower()
    try:
        _is_email(email)
    except ValidationError as error:
        raise Invalid.field("email", f"{text[:LONGEST_EMAIL]!r} is no email address") from error
    if len(email) > LONGEST_EMAIL:
        raise Invalid.field("email", f"email is longer than {LONGEST_EMAIL} characters")
    return email


def refuse_taken(storage: Storage, email: str) -> None:
    """Raise `Invalid` when some organization has a user of this address."""
    if storage.look_up(_BY_EMAIL, email=email) is not None:
        raise Invalid.field("email", f"{email} belongs to a user already", code="email_taken")


def add_user(tx: Transaction, *, email: str, name: str, role: str) -> User:
    """Add a user to the transaction's organization. The address is in its stored form."""
    user = User(new_id("usr"), email, name, role)
    tx.record(
        Change(
            type="user.created",
            resource_id=user.id,
            label=email,
            details=f"Added user {email} as {role}",
            data={"email": email, "name": name, "role": role},
        )
    )
    tx.write(_INSERT, id=user.id, email=email, name=name, role=role, created_at=tx.now)
    return user


def find_owner(tx: Transaction) -> User:
    """Give the first owner of the transaction's organization."""
    owner = tx.one(_OWNER)
    if owner is None:
        raise Invalid(f"organization {tx.organization_id} has no owner", code="no_owner")
    return owner
