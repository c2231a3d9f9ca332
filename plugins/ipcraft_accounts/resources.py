"""Who sends a request, told to the sender."""

from __future__ import annotations

from typing import Any

import falcon

from ipcraft.plugin import Application
from ipcraft_accounts.identities import find_member
from ipcraft_accounts.organizations import Organization
from ipcraft_accounts.users import User


class Me:
    """Answer ``/api/v1/auth/me``."""

    def __init__(self, app: Application) -> None:
        self._app = app

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Give the user, the organization, and the role this request has."""
        identity = req.context.identity
        with self._app.read(identity) as tx:
            organization, user = find_member(tx, identity.user_id)
        resp.media = {
            "user": _user(user) if user else None,
            "organization": _organization(organization),
            "role": identity.role,
        }


def _user(user: User) -> dict[str, Any]:
    return {"id": user.id, "email": user.email, "name": user.name}


def _organization(organization: Organization) -> dict[str, Any]:
    return {"id": organization.id, "name": organization.name, "plan": organization.plan}
