"""What the API shows of people and organizations."""

from __future__ import annotations

from typing import Any

from ipcraft.plugin import rfc3339
from ipcraft_accounts.invitations import Invitation
from ipcraft_accounts.members import Member
from ipcraft_accounts.organizations import Organization
from ipcraft_accounts.sessions import Session
from ipcraft_accounts.users import User


def member_object(member: Member) -> dict[str, Any]:
    """Show who signed in, as ``GET auth/verify`` and ``GET auth/me`` do."""
    return {
        "user": person_object(member.user),
        "organization": tenant_object(member.organization),
    }


def person_object(user: User) -> dict[str, Any]:
    """Show who somebody is."""
    return {"id": user.id, "email": user.email, "name": user.name}


def tenant_object(organization: Organization) -> dict[str, Any]:
    """Show which organization somebody is of."""
    return {"id": organization.id, "name": organization.name, "plan": organization.plan}


def user_object(user: User) -> dict[str, Any]:
    """Show a user."""
    return person_object(user) | {"role": user.role, "created_at": rfc3339(user.created_at)}


def organization_object(organization: Organization) -> dict[str, Any]:
    """Show an organization."""
    return tenant_object(organization) | {"created_at": rfc3339(organization.created_at)}


def invitation_object(invitation: Invitation) -> dict[str, Any]:
    """Show an invitation."""
    return {
        "id": invitation.id,
        "email": invitation.email,
        "role": invitation.role,
        "created_at": rfc3339(invitation.created_at),
        "expires_at": rfc3339(invitation.expires_at),
    }


def session_object(session: Session, *, current: str | None) -> dict[str, Any]:
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
