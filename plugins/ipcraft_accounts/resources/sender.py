"""Who sends a request, and how that ends."""

from __future__ import annotations

import falcon

from ipcraft.plugin import Application, Identity, Invalid, operation
from ipcraft_accounts.authentication import SCHEME
from ipcraft_accounts.cookies import clear_session_cookie
from ipcraft_accounts.members import find_sender
from ipcraft_accounts.representation import SenderObject, person_object, tenant_object
from ipcraft_accounts.sessions import leave_session


def session_of(identity: Identity) -> str | None:
    """Give the id of the session that the request came with, if it was one."""
    return identity.credential_id if identity.scheme == SCHEME else None


class MeResource:
    """Answer ``/api/v1/auth/me``."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(answers={200: SenderObject})
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Give the user, the organization, and the role this request has."""
        identity = req.context.identity
        with self._app.read(identity) as tx:
            organization, user = find_sender(tx, identity.user_id)
        sender: SenderObject = {
            "user": person_object(user) if user else None,
            "organization": tenant_object(organization),
            "role": identity.role,
        }
        resp.media = sender


class LogoutResource:
    """Answer ``/api/v1/auth/logout``."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(answers={204: None})
    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """End the session the request came with, on the server and in the browser."""
        identity = req.context.identity
        session_id = session_of(identity)
        if session_id is None:
            raise Invalid(
                "This request came with no session that could end; an API key is deleted instead",
                code="no_session",
            )
        self._app.transact(
            identity, lambda tx: leave_session(tx, identity.user_id, session_id=session_id)
        )
        clear_session_cookie(self._app, resp)
        resp.status = falcon.HTTP_204
