"""Sessions: a browser in which a user is signed in, for 30 days at most, 7 of them idle."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, LargeBinary, delete, insert, or_, select

from ipcraft.plugin import (
    Application,
    NotFound,
    Row,
    Statement,
    Transaction,
    given,
    is_id,
    new_id,
    own,
)
from ipcraft_accounts.members import Member
from ipcraft_accounts.tables import sessions
from ipcraft_accounts.tokens import is_token, new_token, token_hash

LIFETIME = 30 * 86_400
"""Seconds after which a session ends, whatever is done with it."""

IDLE_LIFETIME = 7 * 86_400
"""Seconds without a request after which a session ends."""

LONGEST_USER_AGENT = 255
"""Characters that are kept of what a browser says it is."""


@dataclass(frozen=True, slots=True)
class Session:
    """Hold what is kept of a session. Times are in seconds since the epoch."""

    id: str
    method: str
    """How the user signed in: ``magic_link``, a plugin's own word."""
    user_agent: str | None
    created_at: int
    last_used_at: int

    @property
    def expires_at(self) -> int:
        """Give the time at which it ends unless it is used before."""
        return end_of(self.created_at, self.last_used_at)


_c = sessions.c
_OWN = (_c.organization_id == own(), _c.user_id == given("user_id"))
_INSERT = Statement(insert(sessions))
_DELETE_ENDED = Statement(
    delete(sessions).where(
        *_OWN,
        or_(
            _c.created_at <= given("oldest", BigInteger()),
            _c.last_used_at <= given("idlest", BigInteger()),
        ),
    )
)
_LIST = Statement(
    select(_c.id, _c.method, _c.user_agent, _c.created_at, _c.last_used_at)
    .where(
        *_OWN,
        _c.created_at > given("oldest", BigInteger()),
        _c.last_used_at > given("idlest", BigInteger()),
    )
    .order_by(_c.id.desc()),
    Session,
)
_DELETE = Statement(delete(sessions).where(*_OWN, _c.id == given("id")))
_DELETE_OTHERS = Statement(delete(sessions).where(*_OWN, _c.id != given("id")))
_OF_TOKEN: Statement[Row] = Statement(
    select(_c.organization_id, _c.user_id, _c.id).where(
        _c.token_hash == given("token_hash", LargeBinary())
    )
)


def end_of(created_at: int, last_used_at: int) -> int:
    """Give the time at which a session ends, in seconds since the epoch."""
    return min(created_at + LIFETIME, last_used_at + IDLE_LIFETIME)


def begin_session(
    app: Application, member: Member, *, method: str, user_agent: str | None = None
) -> str:
    """Begin a session of the member and give its token, which is stored nowhere.

    `method` says how the person proved who they are, such as ``magic_link``.
    """
    token = new_token()
    user = member.user

    def work(tx: Transaction) -> None:
        tx.write(_DELETE_ENDED, user_id=user.id, **_limits(tx))
        tx.write(
            _INSERT,
            id=new_id("ses"),
            user_id=user.id,
            token_hash=token_hash(token),
            method=method,
            user_agent=user_agent[:LONGEST_USER_AGENT] if user_agent else None,
            created_at=tx.now,
            last_used_at=tx.now,
        )

    app.storage.transact(member.organization.id, work, actor=user.id)
    return token


def end_session(app: Application, token: str) -> None:
    """End the session of a token, if there is one."""
    found = None
    if is_token(token):
        found = app.storage.look_up(_OF_TOKEN, token_hash=token_hash(token))
    if found is not None:
        organization_id, user_id, session_id = found
        app.storage.transact(
            organization_id,
            lambda tx: leave_session(tx, user_id, session_id=session_id),
            actor=user_id,
        )


def list_sessions(tx: Transaction, user_id: str | None) -> list[Session]:
    """Give the user's sessions that have not ended, the newest first."""
    return tx.all(_LIST, user_id=user_id, **_limits(tx))


def leave_session(tx: Transaction, user_id: str | None, *, session_id: str) -> None:
    """End a session of the user that may have ended already."""
    tx.write(_DELETE, user_id=user_id, id=session_id)


def delete_session(tx: Transaction, user_id: str | None, *, session_id: str) -> None:
    """End one session of the user. Raises `NotFound`."""
    found = is_id(session_id, "ses") and tx.execute(_DELETE, user_id=user_id, id=session_id)
    if not found:
        raise NotFound("There is no session of yours with this id")


def delete_sessions(tx: Transaction, user_id: str | None, *, keep: str | None = None) -> None:
    """End all sessions of the user, but not the one to `keep`."""
    tx.write(_DELETE_OTHERS, user_id=user_id, id=keep or "")


def _limits(tx: Transaction) -> dict[str, int]:
    return {"oldest": tx.now - LIFETIME, "idlest": tx.now - IDLE_LIFETIME}
