"""Keys of one organization: making, listing and revoking them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, delete, func, insert, select, update

from ipcraft.plugin import (
    Change,
    Forbidden,
    Invalid,
    NotFound,
    Statement,
    Transaction,
    given,
    is_id,
    new_id,
    own,
    rfc3339,
)
from ipcraft_accounts import exceeds, roles_above
from ipcraft_apikeys.key_format import PREFIX_LENGTH, key_hash, new_key
from ipcraft_apikeys.tables import api_keys


@dataclass(frozen=True, slots=True)
class ApiKey:
    """Hold what is kept of a key. Times are in seconds since the epoch."""

    id: str
    name: str
    key_prefix: str
    role: str
    created_at: int
    expires_at: int | None = None
    last_used_at: int | None = None


@dataclass(frozen=True, slots=True)
class NewKey:
    """Hold a key just made, and the secret that is shown this once."""

    api_key: ApiKey
    secret: str


_ALL = 2**63 - 1
_COLUMNS = (
    api_keys.c.id,
    api_keys.c.name,
    api_keys.c.key_prefix,
    api_keys.c.role,
    api_keys.c.created_at,
    api_keys.c.expires_at,
    api_keys.c.last_used_at,
)
_OWN = api_keys.c.organization_id == own()
_INSERT = Statement(insert(api_keys))
_LIST = Statement(
    select(*_COLUMNS)
    .where(_OWN)
    .order_by(api_keys.c.id.desc())
    .limit(given("limit", BigInteger()))
    .offset(given("offset", BigInteger())),
    ApiKey,
)
_COUNT = Statement(select(func.count()).select_from(api_keys).where(_OWN))
_TAKE = Statement(
    select(*_COLUMNS).where(_OWN, api_keys.c.id == given("id")).with_for_update(), ApiKey
)
_TAKE_OF_USER = Statement(
    select(*_COLUMNS).where(_OWN, api_keys.c.user_id == given("user_id")).with_for_update(), ApiKey
)
_LOWER = Statement(
    update(api_keys)
    .where(_OWN, api_keys.c.user_id == given("user_id"), api_keys.c.role == given("old_role"))
    .values(role=given("new_role"))
)
_DELETE = Statement(delete(api_keys).where(_OWN, api_keys.c.id == given("id")))


def create_key(
    tx: Transaction,
    *,
    name: str,
    role: str,
    user_id: str | None,
    maker_role: str,
    expires_at: int | None = None,
) -> NewKey:
    """Make a key for the user, at most in the maker's role.

    Raises `Forbidden` for a higher role and `Invalid` for an end that has passed.
    """
    if exceeds(role, maker_role):
        raise Forbidden(f"A key's role cannot exceed your own: {role} is more than {maker_role}")
    if expires_at is not None and expires_at <= tx.now:
        raise Invalid.field("expires_at", f"expires_at {rfc3339(expires_at)} is in the past")
    secret = new_key()
    made = ApiKey(new_id("key"), name, secret[:PREFIX_LENGTH], role, tx.now, expires_at)
    tx.record(_created(made))
    tx.write(
        _INSERT,
        id=made.id,
        name=name,
        key_prefix=made.key_prefix,
        key_hash=key_hash(secret),
        role=role,
        user_id=user_id,
        created_at=tx.now,
        expires_at=expires_at,
        last_used_at=None,
    )
    return NewKey(made, secret)


def list_keys(tx: Transaction, *, limit: int | None = None, offset: int = 0) -> list[ApiKey]:
    """Give the organization's keys, the newest first."""
    return tx.all(_LIST, limit=_ALL if limit is None else limit, offset=offset)


def count_keys(tx: Transaction) -> int:
    """Count the organization's keys."""
    count: int = tx.value(_COUNT)
    return count


def delete_key(tx: Transaction, key_id: str) -> None:
    """Revoke a key. Raises `NotFound`."""
    key = tx.one(_TAKE, id=key_id) if is_id(key_id, "key") else None
    if key is None:
        raise NotFound("There is no API key with this id")
    tx.record(_deleted(key))
    tx.write(_DELETE, id=key_id)


def delete_keys_of(tx: Transaction, user_id: str) -> None:
    """Revoke every key of a user."""
    for key in tx.all(_TAKE_OF_USER, user_id=user_id):
        tx.record(_deleted(key))
        tx.write(_DELETE, id=key.id)


def lower_keys_of(tx: Transaction, user_id: str, *, role: str) -> None:
    """Bring a user's keys down to a role where they are above it."""
    for higher in roles_above(role):
        tx.write(_LOWER, user_id=user_id, old_role=higher, new_role=role)


def _created(key: ApiKey) -> Change:
    return Change(
        type="api_key.created",
        resource_id=key.id,
        label=key.name,
        details=f"Created API key {key.name}",
        data={
            "name": key.name,
            "key_prefix": key.key_prefix,
            "role": key.role,
            "expires_at": None if key.expires_at is None else rfc3339(key.expires_at),
        },
    )


def _deleted(key: ApiKey) -> Change:
    return Change(
        type="api_key.deleted",
        resource_id=key.id,
        label=key.name,
        details=f"Deleted API key {key.name}",
        data={"name": key.name, "key_prefix": key.key_prefix},
    )
