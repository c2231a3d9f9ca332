"""Recognizing the sender of a request by the session cookie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import falcon
from sqlalchemy import LargeBinary, and_, select

from ipcraft.plugin import (
    Application,
    Identity,
    LastUsed,
    Recognition,
    Statement,
    Unauthenticated,
    given,
)
from ipcraft_accounts.cookies import NAME as COOKIE
from ipcraft_accounts.cookies import session_token
from ipcraft_accounts.sessions import end_of
from ipcraft_accounts.tables import organizations, sessions, users
from ipcraft_accounts.tokens import token_hash

SCHEME = "session"
"""How an identity that a session proves is said to be proven."""


@dataclass(frozen=True, slots=True)
class _Holder:
    """Hold whose session it is, and what its end depends on."""

    organization_id: str
    session_id: str
    user_id: str
    created_at: int
    last_used_at: int
    role: str
    plan: str


_HOLDER = Statement(
    select(
        sessions.c.organization_id,
        sessions.c.id,
        sessions.c.user_id,
        sessions.c.created_at,
        sessions.c.last_used_at,
        users.c.role,
        organizations.c.plan,
    )
    .join_from(
        sessions,
        users,
        and_(
            users.c.organization_id == sessions.c.organization_id,
            users.c.id == sessions.c.user_id,
        ),
    )
    .join(organizations, organizations.c.organization_id == sessions.c.organization_id)
    .where(sessions.c.token_hash == given("token_hash", LargeBinary())),
    _Holder,
)


class SessionBackend:
    """Recognize the cookie ``session`` with one query.

    A request that also has a bearer token is left to the backend of that token.
    """

    name = "session"
    security_scheme: Mapping[str, str] = MappingProxyType(
        {
            "type": "apiKey",
            "in": "cookie",
            "name": COOKIE,
            "description": "The cookie of somebody who signed in.",
        }
    )

    def __init__(self, app: Application, *, last_used: LastUsed) -> None:
        self._app = app
        self.last_used = last_used
        self._recognition = Recognition(
            app, _HOLDER, parameter="token_hash", identify=self._identify
        )

    def authenticate(self, request: falcon.Request) -> Identity | None:
        """Give the identity of the session's user, in the role the user has now.

        Raises `Unauthenticated` for a session that is unknown or has ended.
        """
        if _has_bearer_token(request):
            return None
        token = session_token(request)
        return None if token is None else self._recognition.recognize(token_hash(token))

    def _identify(self, holder: _Holder | None) -> Identity:
        now = int(self._app.clock())
        # An unknown session and one that has ended get the same answer.
        if holder is None or end_of(holder.created_at, holder.last_used_at) <= now:
            raise Unauthenticated("Your session has ended; sign in again", code="session_ended")
        self.last_used.note(
            holder.organization_id,
            credential_id=holder.session_id,
            before=holder.last_used_at,
            now=now,
        )
        return Identity(
            organization_id=holder.organization_id,
            user_id=holder.user_id,
            role=holder.role,
            scheme=SCHEME,
            credential_id=holder.session_id,
            plan=holder.plan,
        )


def _has_bearer_token(request: falcon.Request) -> bool:
    return (request.get_header("Authorization") or "").lower().startswith("bearer ")
