"""The cookie that carries a session's token between a browser and us."""

from __future__ import annotations

from datetime import UTC, datetime

import falcon

from ipcraft.plugin import Application
from ipcraft_accounts.sessions import LIFETIME
from ipcraft_accounts.tokens import is_token

NAME = "session"
"""The cookie's name."""

_PAST = datetime(1970, 1, 1, tzinfo=UTC)


def session_token(req: falcon.Request) -> str | None:
    """Give the token of the request's cookie, or None.

    A value that is no token is another program's cookie. Several tokens are none: a
    neighbouring host may have set one beside ours.
    """
    tokens = {value for value in req.get_cookie_values(NAME) or () if is_token(value)}
    return tokens.pop() if len(tokens) == 1 else None


def set_session_cookie(app: Application, resp: falcon.Response, token: str) -> None:
    """Have the browser send the token from now on, and no cache keep it."""
    resp.cache_control = ["no-store"]
    resp.set_cookie(
        NAME,
        token,
        max_age=LIFETIME,
        path="/",
        secure=_is_secure(app),
        http_only=True,
        same_site="Lax",
    )


def clear_session_cookie(app: Application, resp: falcon.Response) -> None:
    """Have the browser forget the token."""
    resp.set_cookie(
        NAME,
        "",
        expires=_PAST,
        path="/",
        secure=_is_secure(app),
        http_only=True,
        same_site="Lax",
    )


def _is_secure(app: Application) -> bool:
    return (app.settings.public_url or "").startswith("https:")
