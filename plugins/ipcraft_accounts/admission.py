"""Letting people in: who they are, or who they become at their first sign-in."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, select

from ipcraft.plugin import Application, Conflict, Forbidden, Statement, Transaction, given
from ipcraft_accounts.invitations import accept_invitation, drop_invitation
from ipcraft_accounts.members import Member, find_member, find_sender
from ipcraft_accounts.organizations import found_organization
from ipcraft_accounts.roles import check_role
from ipcraft_accounts.tables import invitations
from ipcraft_accounts.users import (
    LONGEST_NAME,
    User,
    add_user,
    default_name,
    normalize_email,
    update_user,
)

_ORG = "'s Org"


@dataclass(frozen=True, slots=True)
class _Invited:
    """Say which organization invited somebody."""

    organization_id: str
    invitation_id: str


# The newest counts: it is the one whose mail the person has just read.
_INVITED = Statement(
    select(invitations.c.organization_id, invitations.c.id)
    .where(
        invitations.c.email == given("email"), invitations.c.expires_at > given("now", BigInteger())
    )
    .order_by(invitations.c.id.desc())
    .limit(1),
    _Invited,
)


def may_enter(app: Application, email: str) -> bool:
    """Tell whether `admit` would let the person of this address in.

    Raises `Invalid` for what is no address.
    """
    email = normalize_email(email)
    return (
        app.settings.signup == "open"
        or find_member(app.storage, email) is not None
        or _invited(app, email) is not None
    )


def admit(app: Application, email: str, *, name: str | None = None) -> Member:
    """Give the person of an address that they have proven to be theirs.

    A new person joins the organization that invited them, in the role it chose. Whom nobody
    invited becomes the owner of a new organization where sign-up is open. Without a name the
    person is called by the part of the address before the ``@``. Raises `Forbidden` where
    sign-up is closed and `Invalid` for what is no address.
    """
    email = normalize_email(email)
    try:
        return find_member(app.storage, email) or _enter(
            app, email, _called(name, default_name(email))
        )
    except Conflict:
        # Somebody let the same person in at the same moment.
        member = find_member(app.storage, email)
        if member is None:
            raise
        return member


def provision(
    app: Application, organization_id: str, *, email: str, role: str, name: str | None = None
) -> Member:
    """Give the person a directory vouches for, in this organization and this role.

    A new person is added; a known one gets the role, and the name if one is given, wherever
    they differ. Raises `Invalid` for an unknown role, for what is no address, and for another
    role of the last owner; `Forbidden` for a user of another organization.
    """
    email = normalize_email(email)
    check_role(role)
    member = find_member(app.storage, email)
    if member is None:
        try:
            return _add(app, organization_id, email=email, name=name, role=role)
        except Conflict:
            member = find_member(app.storage, email)
            if member is None:
                raise
    if member.organization.id != organization_id:
        raise Forbidden(f"{email} belongs to another organization", code="other_organization")
    return _brought_up_to_date(app, member, name=_called(name, member.user.name), role=role)


def _called(name: str | None, otherwise: str) -> str:
    return (name or "").strip()[:LONGEST_NAME] or otherwise


def _invited(app: Application, email: str) -> _Invited | None:
    return app.storage.look_up(_INVITED, email=email, now=int(app.clock()))


def _enter(app: Application, email: str, name: str) -> Member:
    invited = _invited(app, email)
    member = _join(app, invited, name=name) if invited else None
    if member is not None:
        return member
    if app.settings.signup != "open":
        raise Forbidden(
            f"Nobody invited {email}, and sign-up is closed here; ask an admin for an invitation",
            code="signup_closed",
        )
    organization, user = found_organization(
        app.storage,
        name=f"{name[: LONGEST_NAME - len(_ORG)]}{_ORG}",
        owner_email=email,
        owner_name=name,
        plan=app.settings.default_plan,
    )
    return Member(organization, user)


def _join(app: Application, invited: _Invited, *, name: str) -> Member | None:
    """Accept the invitation; None when it was withdrawn a moment ago."""

    def work(tx: Transaction) -> Member | None:
        organization, _ = find_sender(tx, None)
        user = accept_invitation(tx, invited.invitation_id, name=name)
        return Member(organization, user) if user else None

    return app.storage.transact(invited.organization_id, work)


def _add(
    app: Application, organization_id: str, *, email: str, name: str | None, role: str
) -> Member:
    def work(tx: Transaction) -> Member:
        organization, _ = find_sender(tx, None)
        drop_invitation(tx, email)
        user = add_user(tx, email=email, name=_called(name, default_name(email)), role=role)
        return Member(organization, user)

    return app.storage.transact(organization_id, work)


def _brought_up_to_date(app: Application, member: Member, *, name: str, role: str) -> Member:
    if (member.user.name, member.user.role) == (name, role):
        return member

    def work(tx: Transaction) -> User:
        return update_user(tx, member.user.id, {"name": name, "role": role})

    user = app.storage.transact(member.organization.id, work, actor=member.user.id)
    return Member(member.organization, user)
