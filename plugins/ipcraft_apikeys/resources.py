"""API keys over HTTP."""

from __future__ import annotations

from typing import Any

import falcon

from ipcraft.plugin import Application, Page, Transaction, load, rfc3339, send_list
from ipcraft_apikeys.keys import ApiKey, NewKey, count_keys, create_key, delete_key, list_keys
from ipcraft_apikeys.schemas import CreateKey

_CREATE = CreateKey()


class Keys:
    """Answer ``/api/v1/api-keys``."""

    def __init__(self, app: Application) -> None:
        self._app = app

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """List the keys, the newest first, without their secrets."""
        page = Page.of(req)
        with self._app.read(req.context.identity) as tx:
            keys = list_keys(tx, limit=page.limit, offset=page.offset)
            total = count_keys(tx) if page.asked else None
        send_list(req, resp, rows=[_shown(key) for key in keys], page=page, total=total)

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Create a key and show its secret, this once."""
        fields = load(req, _CREATE)
        identity = req.context.identity

        def work(tx: Transaction) -> NewKey:
            return create_key(tx, user_id=identity.user_id, maker_role=identity.role, **fields)

        made = self._app.transact(identity, work)
        resp.status = falcon.HTTP_201
        resp.media = _shown(made.api_key) | {"key": made.secret}


class Key:
    """Answer ``/api/v1/api-keys/{id}``."""

    def __init__(self, app: Application) -> None:
        self._app = app

    def on_delete(self, req: falcon.Request, resp: falcon.Response, key_id: str) -> None:
        """Revoke a key."""
        self._app.transact(req.context.identity, lambda tx: delete_key(tx, key_id))
        resp.status = falcon.HTTP_204


def _shown(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "key_prefix": key.key_prefix,
        "role": key.role,
        "created_at": rfc3339(key.created_at),
        "expires_at": _time(key.expires_at),
        "last_used_at": _time(key.last_used_at),
    }


def _time(seconds: int | None) -> str | None:
    return None if seconds is None else rfc3339(seconds)
