"""Recognizing the sender of a request by its API key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import falcon
from sqlalchemy import LargeBinary, select

from ipcraft.plugin import (
    Application,
    Identity,
    LastUsed,
    Recognition,
    Statement,
    Unauthenticated,
    given,
)
from ipcraft_accounts import organizations
from ipcraft_apikeys.key_format import MARK, is_key, key_hash
from ipcraft_apikeys.tables import api_keys

_SCHEME = "bearer "


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
    security_scheme: Mapping[str, str] = MappingProxyType(
        {"type": "http", "scheme": "bearer", "description": "An API key, `ipc_...`."}
    )

    def __init__(self, app: Application, *, last_used: LastUsed) -> None:
        self._app = app
        self.last_used = last_used
        self._recognition = Recognition(app, _HOLDER, parameter="key_hash", identify=self._identify)

    def authenticate(self, request: falcon.Request) -> Identity | None:
        """Give the identity of the key's holder.

        Raises `Unauthenticated` for a key that is malformed, unknown, revoked or past its end.
        """
        key = _presented(request)
        if key is None:
            return None
        hashed = key_hash(key)
        if self._recognition.knows(hashed) or is_key(key):
            return self._recognition.recognize(hashed)
        # Malformed and unknown keys get the same answer; only the malformed cost no query.
        return self._identify(None)

    def _identify(self, holder: _Holder | None) -> Identity:
        if holder is None:
            raise Unauthenticated("The API key is not valid")
        now = int(self._app.clock())
        if holder.expires_at is not None and holder.expires_at <= now:
            raise Unauthenticated("The API key has expired")
        self.last_used.note(
            holder.organization_id, credential_id=holder.key_id, before=holder.last_used_at, now=now
        )
        return Identity(
            organization_id=holder.organization_id,
            user_id=holder.user_id,
            role=holder.role,
            scheme="api_key",
            credential_id=holder.key_id,
            plan=holder.plan,
            ambient=False,
        )


def _presented(request: falcon.Request) -> str | None:
    header = request.get_header("Authorization")
    if header is None or header[: len(_SCHEME)].lower() != _SCHEME:
        return None
    token = header[len(_SCHEME) :].strip()
    return token if token.startswith(MARK) else None
