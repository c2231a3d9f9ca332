"""One's own sessions over HTTP."""

from __future__ import annotations

import falcon

from ipcraft.plugin import Application, Page, Paging, operation, send_list
from ipcraft_accounts.cookies import clear_session_cookie
from ipcraft_accounts.representation import SessionObject, session_object
from ipcraft_accounts.resources.sender import session_of
from ipcraft_accounts.sessions import delete_session, delete_sessions, list_sessions


class SessionsResource:
    """Answer ``/api/v1/auth/sessions``."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(page=Paging(), answers={200: list[SessionObject]})
    def on_get(self, req: falcon.Request, resp: falcon.Response, *, page: Page) -> None:
        """List the sender's sessions, the newest first."""
        identity = req.context.identity
        with self._app.read(identity) as tx:
            sessions = list_sessions(tx, identity.user_id)
        current = session_of(identity)
        end = None if page.limit is None else page.offset + page.limit
        rows = [session_object(each, current=current) for each in sessions[page.offset : end]]
        send_list(req, resp, rows=rows, page=page, total=len(sessions))

    @operation(answers={204: None})
    def on_delete(self, req: falcon.Request, resp: falcon.Response) -> None:
        """End all the sender's sessions but the one this request came with."""
        identity = req.context.identity
        current = session_of(identity)
        self._app.transact(identity, lambda tx: delete_sessions(tx, identity.user_id, keep=current))
        resp.status = falcon.HTTP_204


class SessionResource:
    """Answer ``/api/v1/auth/sessions/{id}``."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(answers={204: None})
    def on_delete(self, req: falcon.Request, resp: falcon.Response, session_id: str) -> None:
        """End one of the sender's sessions."""
        identity = req.context.identity
        self._app.transact(
            identity, lambda tx: delete_session(tx, identity.user_id, session_id=session_id)
        )
        if session_id == session_of(identity):
            clear_session_cookie(self._app, resp)
        resp.status = falcon.HTTP_204
