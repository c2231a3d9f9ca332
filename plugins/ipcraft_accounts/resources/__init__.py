"""People and their organization over HTTP."""

from __future__ import annotations

from ipcraft.plugin import Application, Route
from ipcraft_accounts.resources.invitations import InvitationResource, InvitationsResource
from ipcraft_accounts.resources.organization import OrganizationResource
from ipcraft_accounts.resources.sender import LogoutResource, MeResource
from ipcraft_accounts.resources.sessions import SessionResource, SessionsResource
from ipcraft_accounts.resources.users import UserResource, UsersResource


def account_routes(app: Application) -> list[Route]:
    """Give the routes. What concerns only oneself needs no more than to look."""
    return [
        Route("/api/v1/auth/me", MeResource(app)),
        Route("/api/v1/auth/logout", LogoutResource(app), actions={"POST": "read"}),
        Route("/api/v1/auth/sessions", SessionsResource(app), actions={"DELETE": "read"}),
        Route(
            "/api/v1/auth/sessions/{session_id}",
            SessionResource(app),
            actions={"DELETE": "read"},
        ),
        Route(
            "/api/v1/organization",
            OrganizationResource(app),
            actions={"PATCH": "own", "DELETE": "own"},
        ),
        Route("/api/v1/users", UsersResource(app)),
        Route(
            "/api/v1/users/{user_id}",
            UserResource(app),
            actions={"PATCH": "manage", "DELETE": "manage"},
        ),
        Route("/api/v1/invitations", InvitationsResource(app), actions={"POST": "manage"}),
        Route(
            "/api/v1/invitations/{invitation_id}",
            InvitationResource(app),
            actions={"DELETE": "manage"},
        ),
    ]
