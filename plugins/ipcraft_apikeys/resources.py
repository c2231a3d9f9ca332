"""API keys over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

import falcon
from msgspec import Meta

from ipcraft.plugin import (
    Application,
    Page,
    Paging,
    Timestamp,
    Transaction,
    operation,
    rfc3339,
    send_list,
)
from ipcraft_accounts import Role
from ipcraft_apikeys.keys import ApiKey, NewKey, count_keys, create_key, delete_key, list_keys
from ipcraft_apikeys.schemas import CreateKey


class KeyObject(TypedDict):
    """An API key, without its secret."""

    id: Annotated[str, Meta(examples=["key_01m8mx9a8eeex9jf5awtbwpbec"])]
    name: Annotated[str, Meta(examples=["Ansible automation"])]
    key_prefix: Annotated[
        str, Meta(description="The first 12 characters.", examples=["ipc_a1b2c3d4"])
    ]
    role: Role
    created_at: Timestamp
    expires_at: Timestamp | None
    last_used_at: Timestamp | None


class NewKeyObject(KeyObject):
    """An API key that was just created, with its secret, this once."""

    key: Annotated[str, Meta(examples=["ipc_a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8s9t0"])]


class Keys:
    """Answer ``/api/v1/api-keys``."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(page=Paging(), answers={200: list[KeyObject]})
    def on_get(self, req: falcon.Request, resp: falcon.Response, *, page: Page) -> None:
        """List the keys, the newest first, without their secrets."""
        with self._app.read(req.context.identity) as tx:
            keys = list_keys(tx, limit=page.limit, offset=page.offset)
            total = count_keys(tx) if page.asked else None
        send_list(req, resp, rows=[_shown(key) for key in keys], page=page, total=total)

    @operation(body=CreateKey(), answers={201: NewKeyObject})
    def on_post(self, req: falcon.Request, resp: falcon.Response, *, body: dict[str, Any]) -> None:
        """Create a key and show its secret, this once."""
        identity = req.context.identity

        def work(tx: Transaction) -> NewKey:
            return create_key(tx, user_id=identity.user_id, maker_role=identity.role, **body)

        made = self._app.transact(identity, work)
        resp.status = falcon.HTTP_201
        shown: NewKeyObject = {**_shown(made.api_key), "key": made.secret}
        resp.media = shown


class Key:
    """Answer ``/api/v1/api-keys/{id}``."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(answers={204: None})
    def on_delete(self, req: falcon.Request, resp: falcon.Response, key_id: str) -> None:
        """Revoke a key."""
        self._app.transact(req.context.identity, lambda tx: delete_key(tx, key_id))
        resp.status = falcon.HTTP_204


def _shown(key: ApiKey) -> KeyObject:
    return {
        "id": key.id,
        "name": key.name,
        "key_prefix": key.key_prefix,
        "role": key.role,
        "created_at": rfc3339(key.created_at),
        "expires_at": _time(key.expires_at),
        "last_used_at": _time(key.last_used_at),
    }


def _time(seconds: int | None) -> Timestamp | None:
    return None if seconds is None else rfc3339(seconds)
