"""Signing a browser in: what every way to prove who one is ends with."""

from __future__ import annotations

import falcon

from ipcraft.plugin import Application
from ipcraft_accounts.cookies import session_token, set_session_cookie
from ipcraft_accounts.members import Member
from ipcraft_accounts.sessions import begin_session, end_session


def sign_in(
    app: Application, req: falcon.Request, resp: falcon.Response, *, member: Member, method: str
) -> None:
    """Begin a new session and set its cookie; a session the browser brought along is ended."""
    old = session_token(req)
    token = begin_session(app, member, method=method, user_agent=req.user_agent)
    set_session_cookie(app, resp, token)
    if old is not None:
        end_session(app, old)
