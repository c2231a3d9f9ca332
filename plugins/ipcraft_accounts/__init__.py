"""Accounts: organizations, their users and sessions, and what each role may do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ipcraft.plugin import (
    Application,
    AuthBackend,
    Command,
    EventType,
    Identity,
    LastUsed,
    Migrations,
    Route,
    hookimpl,
)
from ipcraft_accounts.admission import admit, may_enter, provision
from ipcraft_accounts.authentication import SessionBackend
from ipcraft_accounts.commands import user_commands
from ipcraft_accounts.cookies import clear_session_cookie, session_token, set_session_cookie
from ipcraft_accounts.members import Member, find_member
from ipcraft_accounts.organizations import (
    Organization,
    change_plan,
    create_organization,
    find_organization,
    list_organizations,
    plan_name,
    plan_name_of,
)
from ipcraft_accounts.representation import MemberObject, Role, member_object
from ipcraft_accounts.resources import account_routes
from ipcraft_accounts.roles import ROLES, exceeds, may, roles_above
from ipcraft_accounts.sessions import begin_session, end_session
from ipcraft_accounts.sign_in import sign_in
from ipcraft_accounts.tables import metadata, organizations, sessions, users
from ipcraft_accounts.tokens import is_token, new_token, token_hash
from ipcraft_accounts.users import User, create_user, find_owner, normalize_email

API = 1

__all__ = [
    "API",
    "ROLES",
    "Member",
    "MemberObject",
    "Organization",
    "Role",
    "User",
    "admit",
    "begin_session",
    "change_plan",
    "clear_session_cookie",
    "create_organization",
    "create_user",
    "end_session",
    "exceeds",
    "find_member",
    "find_organization",
    "find_owner",
    "is_token",
    "list_organizations",
    "may_enter",
    "member_object",
    "metadata",
    "new_token",
    "normalize_email",
    "organizations",
    "plan_name",
    "plan_name_of",
    "provision",
    "roles_above",
    "session_token",
    "set_session_cookie",
    "sign_in",
    "token_hash",
    "users",
]


@hookimpl
def ipcraft_migrations() -> Migrations:
    """Give the tables of organizations, users, sessions and invitations."""
    return Migrations(metadata, Path(__file__).parent / "migrations")


@hookimpl
def ipcraft_event_types() -> Sequence[EventType]:
    """Declare what happens to organizations and users."""
    return [
        EventType("organization.created", "An organization was created.", internal=True),
        EventType(
            "organization.updated",
            "The organization was renamed or got another plan.",
            internal=True,
        ),
        EventType(
            "organization.deleted",
            "The organization and all that is in it is deleted.",
            internal=True,
        ),
        EventType("user.created", "A user joined the organization.", internal=True),
        EventType("user.updated", "A user's name or role changed.", internal=True),
        EventType("user.deleted", "A user was deleted.", internal=True),
        EventType("invitation.created", "An address was invited.", internal=True),
        EventType(
            "invitation.accepted", "An invited person signed in for the first time.", internal=True
        ),
        EventType("invitation.deleted", "An invitation was withdrawn.", internal=True),
    ]


@hookimpl
def ipcraft_auth_backends(app: Application) -> Sequence[AuthBackend]:
    """Recognize the cookie ``session``."""
    return [SessionBackend(app, last_used=LastUsed(app, sessions))]


@hookimpl
def ipcraft_routes(app: Application) -> Sequence[Route]:
    """Serve people, sessions, invitations and the organization."""
    return account_routes(app)


@hookimpl
def ipcraft_commands() -> Sequence[Command]:
    """Add ``ipcraft user``."""
    return [Command(user_commands)]


@hookimpl
def ipcraft_authorize(identity: Identity, action: str) -> bool:
    """Refuse what is above the identity's role."""
    return may(identity.role, action)
