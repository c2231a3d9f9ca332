"""What the API shows of people and organizations."""

from __future__ import annotations

from typing import Annotated, TypedDict

from msgspec import Meta

from ipcraft.plugin import Timestamp, rfc3339
from ipcraft_accounts.invitations import Invitation
from ipcraft_accounts.members import Member
from ipcraft_accounts.organizations import Organization
from ipcraft_accounts.roles import ROLES
from ipcraft_accounts.sessions import Session
from ipcraft_accounts.users import User

Role = Annotated[str, Meta(extra_json_schema={"enum": list(ROLES)})]
"""The type of a role that an answer shows."""

UserId = Annotated[str, Meta(examples=["usr_01m8mx9a8eeex9jf5aware6z3g"])]
OrganizationId = Annotated[str, Meta(examples=["org_01m8mx9a8eeex9jf5awcx9jhyf"])]
Email = Annotated[str, Meta(examples=["john@example.com"])]


class PersonObject(TypedDict):
    """Who somebody is."""

    id: UserId
    email: Email
    name: Annotated[str, Meta(examples=["John Smith"])]


class TenantObject(TypedDict):
    """Which organization somebody is of."""

    id: OrganizationId
    name: Annotated[str, Meta(examples=["John Smith's Org"])]
    plan: Annotated[str, Meta(examples=["free"])]


class MemberObject(TypedDict):
    """Somebody, with their organization."""

    user: PersonObject
    organization: TenantObject


class SenderObject(TypedDict):
    """Who sends a request. A key that is nobody's has no user."""

    user: PersonObject | None
    organization: TenantObject
    role: Role


class UserObject(PersonObject):
    """A user."""

    role: Role
    created_at: Timestamp


class OrganizationObject(TenantObject):
    """An organization."""

    created_at: Timestamp


class InvitationObject(TypedDict):
    """An invitation."""

    id: Annotated[str, Meta(examples=["inv_01m8mx9a8eeex9jf5awgtpwnzs"])]
    email: Email
    role: Role
    created_at: Timestamp
    expires_at: Timestamp


class SessionObject(TypedDict):
    """A session."""

    id: Annotated[str, Meta(examples=["ses_01m8mx9a8eeex9jf5awp6xb1vd"])]
    method: Annotated[str, Meta(description="How it began.", examples=["magic_link"])]
    user_agent: Annotated[str, Meta(examples=["Mozilla/5.0"])] | None
    current: Annotated[bool, Meta(description="Whether this request came with it.")]
    created_at: Timestamp
    last_used_at: Timestamp
    expires_at: Timestamp


def member_object(member: Member) -> MemberObject:
    """Show who signed in, as ``GET auth/verify`` and ``GET auth/me`` do."""
    return {
        "user": person_object(member.user),
        "organization": tenant_object(member.organization),
    }


def person_object(user: User) -> PersonObject:
    """Show who somebody is."""
    return {"id": user.id, "email": user.email, "name": user.name}


def tenant_object(organization: Organization) -> TenantObject:
    """Show which organization somebody is of."""
    return {"id": organization.id, "name": organization.name, "plan": organization.plan}


def user_object(user: User) -> UserObject:
    """Show a user."""
    return {
        **person_object(user),
        "role": user.role,
        "created_at": rfc3339(user.created_at),
    }


def organization_object(organization: Organization) -> OrganizationObject:
    """Show an organization."""
    return {**tenant_object(organization), "created_at": rfc3339(organization.created_at)}


def invitation_object(invitation: Invitation) -> InvitationObject:
    """Show an invitation."""
    return {
        "id": invitation.id,
        "email": invitation.email,
        "role": invitation.role,
        "created_at": rfc3339(invitation.created_at),
        "expires_at": rfc3339(invitation.expires_at),
    }


def session_object(session: Session, *, current: str | None) -> SessionObject:
    """Show a session; the one the request came with is the current one."""
    return {
        "id": session.id,
        "method": session.method,
        "user_agent": session.user_agent,
        "current": session.id == current,
        "created_at": rfc3339(session.created_at),
        "last_used_at": rfc3339(session.last_used_at),
        "expires_at": rfc3339(session.expires_at),
    }
