"""Users: the people of an organization."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from marshmallow import ValidationError
from marshmallow.validate import Email
from sqlalchemy import BigInteger, delete, func, insert, select, update

from ipcraft.plugin import (
    Change,
    Conflict,
    Invalid,
    NotFound,
    Statement,
    Storage,
    Transaction,
    given,
    is_id,
    new_id,
    own,
)
from ipcraft_accounts.roles import refuse_higher
from ipcraft_accounts.tables import sessions, users

LONGEST_EMAIL = 254
"""Characters of an address that mail can be sent to (RFC 5321, section 4.5.3.1)."""

LONGEST_NAME = 255
"""Characters of a user's name."""

_OWNER_ROLE = "owner"


@dataclass(frozen=True, slots=True)
class User:
    """Hold one user."""

    id: str
    email: str
    name: str
    role: str
    created_at: int
    """Seconds since the epoch."""


_ALL = 2**63 - 1
_c = users.c
_COLUMNS = (_c.id, _c.email, _c.name, _c.role, _c.created_at)
_OWN = _c.organization_id == own()
_BY_ID = (_OWN, _c.id == given("id"))
_INSERT = Statement(insert(users))
_ONE = Statement(select(*_COLUMNS).where(*_BY_ID), User)
_ONE_TO_CHANGE = Statement(select(*_COLUMNS).where(*_BY_ID).with_for_update(), User)
_LIST = Statement(
    select(*_COLUMNS)
    .where(_OWN)
    .order_by(_c.id.desc())
    .limit(given("limit", BigInteger()))
    .offset(given("offset", BigInteger())),
    User,
)
_COUNT = Statement(select(func.count()).select_from(users).where(_OWN))
_OWNERS = Statement(select(func.count()).select_from(users).where(_OWN, _c.role == given("role")))
_OWNER = Statement(
    select(*_COLUMNS).where(_OWN, _c.role == _OWNER_ROLE).order_by(_c.id).limit(1), User
)
_BY_EMAIL = Statement(select(_c.id).where(_c.email == given("email")))
_OWN_BY_EMAIL = Statement(select(*_COLUMNS).where(_OWN, _c.email == given("email")), User)
_UPDATE = Statement(
    update(users).where(*_BY_ID).values(name=given("new_name"), role=given("new_role"))
)
_DELETE = Statement(delete(users).where(*_BY_ID))
_END_SESSIONS = Statement(
    delete(sessions).where(sessions.c.organization_id == own(), sessions.c.user_id == given("id"))
)
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


def default_name(email: str) -> str:
    """Give what a person is called who told no name: the part of the address before the ``@``."""
    return email.partition("@")[0]


def refuse_taken(storage: Storage, email: str) -> None:
    """Raise `Invalid` when some organization has a user of this address."""
    if storage.look_up(_BY_EMAIL, email=email) is not None:
        raise Invalid.field("email", f"{email} belongs to a user already", code="email_taken")


def add_user(tx: Transaction, *, email: str, name: str, role: str) -> User:
    """Add a user to the transaction's organization. The address is in its stored form."""
    user = User(new_id("usr"), email, name[:LONGEST_NAME], role, tx.now)
    data = {"email": email, "name": user.name, "role": role}
    tx.record(_change("created", user, f"Added user {email} as {role}", data))
    tx.write(_INSERT, id=user.id, email=email, name=user.name, role=role, created_at=tx.now)
    return user


def create_user(
    storage: Storage, organization_id: str, *, email: str, role: str, name: str | None = None
) -> User:
    """Make a user of an organization, in a transaction of its own.

    Raises `Invalid` for what is no address and for one that belongs to a user already.
    """
    email = normalize_email(email)
    called = (name or "").strip() or default_name(email)
    refuse_taken(storage, email)
    try:
        return storage.transact(
            organization_id, lambda tx: add_user(tx, email=email, name=called, role=role)
        )
    except Conflict:
        refuse_taken(storage, email)  # somebody took the address at the same moment
        raise


def get_user(tx: Transaction, user_id: str) -> User:
    """Give a user of the organization. Raises `NotFound`."""
    return _found(tx.one(_ONE, id=user_id) if is_id(user_id, "usr") else None)


def find_user_by_email(tx: Transaction, email: str) -> User | None:
    """Give the organization's user of this address."""
    return tx.one(_OWN_BY_EMAIL, email=email)


def find_owner(tx: Transaction) -> User:
    """Give the first owner of the transaction's organization."""
    owner = tx.one(_OWNER)
    if owner is None:
        raise Invalid(f"organization {tx.organization_id} has no owner", code="no_owner")
    return owner


def list_users(tx: Transaction, *, limit: int | None = None, offset: int = 0) -> list[User]:
    """Give the organization's users, the newest first."""
    return tx.all(_LIST, limit=_ALL if limit is None else limit, offset=offset)


def count_users(tx: Transaction) -> int:
    """Count the organization's users."""
    return int(tx.value(_COUNT))


def update_user(
    tx: Transaction, user_id: str, values: Mapping[str, Any], *, maker_role: str = _OWNER_ROLE
) -> User:
    """Change the given ones of `name` and `role`, in the name of somebody of `maker_role`.

    Raises `NotFound`; `Forbidden` for a user or a role above the maker's; `Invalid` for another
    role of the last owner.
    """
    old = _take(tx, user_id, maker_role=maker_role)
    user = replace(old, **values)
    changed = {name: value for name, value in values.items() if getattr(old, name) != value}
    if not changed:
        return old
    refuse_higher(user.role, maker_role)
    if user.role != _OWNER_ROLE:
        _refuse_last_owner(tx, old)
    before = {name: getattr(old, name) for name in changed}
    tx.record(_change("updated", user, f"Updated user {user.email}", changed, before=before))
    tx.write(_UPDATE, id=user.id, new_name=user.name, new_role=user.role)
    return user


def delete_user(tx: Transaction, user_id: str, *, maker_role: str) -> None:
    """Delete a user, whose sessions end, in the name of somebody of `maker_role`.

    Raises `NotFound`, `Forbidden` for a user above the maker, `Invalid` for the last owner.
    """
    user = _take(tx, user_id, maker_role=maker_role)
    _refuse_last_owner(tx, user)
    before = {"email": user.email, "name": user.name, "role": user.role}
    details = f"Deleted user {user.email}"
    tx.record(_change("deleted", user, details, {"email": user.email}, before=before))
    tx.write(_END_SESSIONS, id=user.id)
    tx.write(_DELETE, id=user.id)


def _take(tx: Transaction, user_id: str, *, maker_role: str) -> User:
    # Held alone: of two owners who demote each other at once, one is the last.
    tx.lock("accounts", "users")
    user = _found(tx.one(_ONE_TO_CHANGE, id=user_id) if is_id(user_id, "usr") else None)
    refuse_higher(user.role, maker_role)
    return user


def _found(user: User | None) -> User:
    if user is None:
        raise NotFound("There is no user with this id")
    return user


def _refuse_last_owner(tx: Transaction, user: User) -> None:
    if user.role == _OWNER_ROLE and tx.value(_OWNERS, role=_OWNER_ROLE) == 1:
        raise Invalid(
            f"{user.email} is the last owner; make somebody else an owner first", code="last_owner"
        )


def _change(
    verb: str,
    user: User,
    details: str,
    data: Mapping[str, Any],
    *,
    before: Mapping[str, Any] | None = None,
) -> Change:
    return Change(
        type=f"user.{verb}",
        resource_id=user.id,
        label=user.email,
        details=details,
        data=data,
        before=before,
    )
