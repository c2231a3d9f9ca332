"""API keys: how programs prove which organization they speak for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ipcraft.plugin import (
    Application,
    AuthBackend,
    Change,
    Command,
    EventType,
    LastUsed,
    Migrations,
    Route,
    Transaction,
    hookimpl,
)
from ipcraft_apikeys.authentication import KeyBackend
from ipcraft_apikeys.commands import key_commands, organization_commands
from ipcraft_apikeys.keys import (
    ApiKey,
    NewKey,
    create_key,
    delete_key,
    delete_keys_of,
    list_keys,
    lower_keys_of,
)
from ipcraft_apikeys.resources import Key, Keys
from ipcraft_apikeys.tables import api_keys, metadata
from ipcraft_apikeys.welcome import welcome

API = 1

__all__ = [
    "API",
    "ApiKey",
    "NewKey",
    "create_key",
    "delete_key",
    "list_keys",
]


@hookimpl
def ipcraft_migrations() -> Migrations:
    """Give the table of keys."""
    return Migrations(metadata, Path(__file__).parent / "migrations")


@hookimpl
def ipcraft_event_types() -> Sequence[EventType]:
    """Declare what happens to keys."""
    return [
        EventType("api_key.created", "An API key was created.", internal=True),
        EventType("api_key.deleted", "An API key was revoked.", internal=True),
    ]


@hookimpl
def ipcraft_before_change(change: Change, tx: Transaction) -> None:
    """Let no key do more than its user may: none outlives the user, none keeps a higher role.

    A user's keys go before the user's row, which they refer to.
    """
    if change.type == "user.deleted":
        delete_keys_of(tx, change.resource_id)
    elif change.type == "user.updated" and "role" in change.data:
        lower_keys_of(tx, change.resource_id, role=change.data["role"])


@hookimpl
def ipcraft_auth_backends(app: Application) -> Sequence[AuthBackend]:
    """Recognize ``Authorization: Bearer ipc_...``."""
    return [KeyBackend(app, last_used=LastUsed(app, api_keys))]


@hookimpl
def ipcraft_routes(app: Application) -> Sequence[Route]:
    """Serve the management of keys."""
    return [
        Route("/api/v1/api-keys", Keys(app), actions={"POST": "manage"}),
        Route("/api/v1/api-keys/{key_id}", Key(app), actions={"DELETE": "manage"}),
    ]


@hookimpl
def ipcraft_commands() -> Sequence[Command]:
    """Add ``ipcraft key`` and ``ipcraft org``: making an organization gives its first key."""
    return [Command(key_commands), Command(organization_commands)]


@hookimpl
def ipcraft_serving(app: Application, url: str, embedded: bool) -> Sequence[str]:  # noqa: FBT001
    """Say how to get in; make the first key of an embedded database."""
    return welcome(app, url, embedded=embedded)
