"""Recognizing the sender of a request by its API key."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import falcon
from sqlalchemy import LargeBinary, select

from ipcraft.plugin import Application, Claim, Identity, Statement, Unauthenticated, given
from ipcraft_accounts import organizations
from ipcraft_apikeys.key_format import MARK, is_key, key_hash
from ipcraft_apikeys.last_used import LastUsed
from ipcraft_apikeys.tables import api_keys

_SCHEME = "bearer "
_MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class _Holder:
    """Hold whose key it is, and for how long."""

    organization_id: str
    key_id: str
    user_id: str | None
    role: str
    expires_at: int | None
    last_used_at: int | None
    plan: str


_HOLDER = Statement(
    select(
        api_keys.c.organization_id,
        api_keys.c.id,
        api_keys.c.user_id,
        api_keys.c.role,
        api_keys.c.expires_at,
        api_keys.c.last_used_at,
        organizations.c.plan,
    )
    .join_from(
        api_keys, organizations, organizations.c.organization_id == api_keys.c.organization_id
    )
    .where(api_keys.c.key_hash == given("key_hash", LargeBinary())),
    _Holder,
)


class KeyBackend:
    """Recognize ``Authorization: Bearer ipc_...`` with one query.

    Whose key it was the last time is remembered, by its hash, as a claim to be settled: each
    request asks the database once. Other bearer tokens are left to other backends.
    """

    name = "api_key"

    def __init__(self, app: Application, *, last_used: LastUsed) -> None:
        self._app = app
        self.last_used = last_used
        self._remembered: dict[bytes, Identity] = {}

    def authenticate(self, request: falcon.Request) -> Identity | None:
        """Give the identity of the key's holder.

        Raises `Unauthenticated` for a key that is malformed, unknown, revoked or past its end.
        """
        key = _presented(request)
        return None if key is None else self._recognize(key)

    def _recognize(self, key: str) -> Identity:
        # Malformed and unknown keys get the same answer; only the malformed cost no query.
        if not is_key(key):
            raise _invalid()
        hashed = key_hash(key)
        remembered = self._remembered.get(hashed)
        if remembered is None:
            return self._identity(hashed, self._app.storage.look_up(_HOLDER, key_hash=hashed))
        claim = Claim(
            _HOLDER, parameters={"key_hash": hashed}, recognize=partial(self._identity, hashed)
        )
        return replace(remembered, claim=claim)

    def _identity(self, hashed: bytes, holder: _Holder | None) -> Identity:
        if holder is None:
            self._remembered.pop(hashed, None)
            raise _invalid()
        now = int(self._app.clock())
        if holder.expires_at is not None and holder.expires_at <= now:
            raise Unauthenticated("The API key has expired")
        self.last_used.note(
            holder.organization_id, key_id=holder.key_id, before=holder.last_used_at, now=now
        )
        identity = Identity(
            organization_id=holder.organization_id,
            user_id=holder.user_id,
            role=holder.role,
            scheme="api_key",
            credential_id=holder.key_id,
            plan=holder.plan,
        )
        if len(self._remembered) >= _MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[hashed] = identity
        return identity


def _invalid() -> Unauthenticated:
    return Unauthenticated("The API key is not valid")


def _presented(request: falcon.Request) -> str | None:
    header = request.get_header("Authorization")
    if header is None or header[: len(_SCHEME)].lower() != _SCHEME:
        return None
    token = header[len(_SCHEME) :].strip()
    return token if token.startswith(MARK) else None
