"""Invitations: addresses that join the organization when they prove to be somebody's."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, delete, func, insert, select

from ipcraft.plugin import (
    Change,
    Invalid,
    NotFound,
    Statement,
    Transaction,
    given,
    is_id,
    new_id,
    own,
    rfc3339,
)
from ipcraft_accounts.roles import refuse_higher
from ipcraft_accounts.tables import invitations
from ipcraft_accounts.users import User, add_user, find_user_by_email

LIFETIME = 7 * 86_400
"""Seconds after which an invitation lets nobody in any more."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """Hold one invitation. Times are in seconds since the epoch."""

    id: str
    email: str
    role: str
    created_at: int
    expires_at: int


_ALL = 2**63 - 1
_c = invitations.c
_COLUMNS = (_c.id, _c.email, _c.role, _c.created_at, _c.expires_at)
_OWN = _c.organization_id == own()
_INSERT = Statement(insert(invitations))
_LIST = Statement(
    select(*_COLUMNS)
    .where(_OWN)
    .order_by(_c.id.desc())
    .limit(given("limit", BigInteger()))
    .offset(given("offset", BigInteger())),
    Invitation,
)
_COUNT = Statement(select(func.count()).select_from(invitations).where(_OWN))
_TAKE = Statement(select(*_COLUMNS).where(_OWN, _c.id == given("id")).with_for_update(), Invitation)
_TAKE_BY_EMAIL = Statement(
    select(*_COLUMNS).where(_OWN, _c.email == given("email")).with_for_update(), Invitation
)
_DELETE = Statement(delete(invitations).where(_OWN, _c.id == given("id")))
_DROP = Statement(delete(invitations).where(_OWN, _c.email == given("email")))


def create_invitation(tx: Transaction, *, email: str, role: str, maker_role: str) -> Invitation:
    """Invite an address, which is in its stored form, at most in the maker's role.

    Raises `Forbidden` for a higher role; `Invalid` for an address that is a member's or was
    invited already. That an address is a member's elsewhere is not told.
    """
    refuse_higher(role, maker_role)
    if find_user_by_email(tx, email) is not None:
        raise Invalid.field("email", f"{email} is a member already", code="email_taken")
    old = tx.one(_TAKE_BY_EMAIL, email=email)
    if old is not None and old.expires_at > tx.now:
        raise Invalid.field(
            "email",
            f"{email} was invited already, until {rfc3339(old.expires_at)}",
            code="already_invited",
        )
    made = Invitation(new_id("inv"), email, role, tx.now, tx.now + LIFETIME)
    tx.record(_change("created", made, f"Invited {email} as {role}"))
    if old is not None:
        tx.write(_DELETE, id=old.id)
    tx.write(
        _INSERT,
        id=made.id,
        email=email,
        role=role,
        created_at=made.created_at,
        expires_at=made.expires_at,
    )
    return made


def list_invitations(
    tx: Transaction, *, limit: int | None = None, offset: int = 0
) -> list[Invitation]:
    """Give the organization's invitations, the newest first, those past their end too."""
    return tx.all(_LIST, limit=_ALL if limit is None else limit, offset=offset)


def count_invitations(tx: Transaction) -> int:
    """Count the organization's invitations."""
    return int(tx.value(_COUNT))


def delete_invitation(tx: Transaction, invitation_id: str) -> None:
    """Withdraw an invitation. Raises `NotFound`."""
    invitation = tx.one(_TAKE, id=invitation_id) if is_id(invitation_id, "inv") else None
    if invitation is None:
        raise NotFound("There is no invitation with this id")
    tx.record(_change("deleted", invitation, f"Withdrew the invitation of {invitation.email}"))
    tx.write(_DELETE, id=invitation_id)


def accept_invitation(tx: Transaction, invitation_id: str, *, name: str) -> User | None:
    """Make the invited person a user; None when the invitation is gone or past its end."""
    invitation = tx.one(_TAKE, id=invitation_id)
    if invitation is None or invitation.expires_at <= tx.now:
        return None
    email = invitation.email
    tx.record(_change("accepted", invitation, f"{email} accepted the invitation"))
    tx.write(_DELETE, id=invitation_id)
    return add_user(tx, email=email, name=name, role=invitation.role)


def drop_invitation(tx: Transaction, email: str) -> None:
    """Forget the invitation of an address that became a user in another way."""
    tx.write(_DROP, email=email)


def _change(verb: str, invitation: Invitation, details: str) -> Change:
    return Change(
        type=f"invitation.{verb}",
        resource_id=invitation.id,
        label=invitation.email,
        details=details,
        data={
            "email": invitation.email,
            "role": invitation.role,
            "expires_at": rfc3339(invitation.expires_at),
        },
    )
