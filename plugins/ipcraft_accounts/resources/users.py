"""Users over HTTP."""

from __future__ import annotations

from typing import Any

import falcon

from ipcraft.plugin import Application, Page, Paging, operation, send_list
from ipcraft_accounts.representation import UserObject, user_object
from ipcraft_accounts.schemas import UserBody
from ipcraft_accounts.users import count_users, delete_user, get_user, list_users, update_user


class UsersResource:
    """Answer ``/api/v1/users``."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(page=Paging(), answers={200: list[UserObject]})
    def on_get(self, req: falcon.Request, resp: falcon.Response, *, page: Page) -> None:
        """List the users, the newest first."""
        with self._app.read(req.context.identity) as tx:
            users = list_users(tx, limit=page.limit, offset=page.offset)
            total = count_users(tx) if page.asked else None
        send_list(req, resp, rows=[user_object(user) for user in users], page=page, total=total)


class UserResource:
    """Answer ``/api/v1/users/{id}``."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(answers={200: UserObject})
    def on_get(self, req: falcon.Request, resp: falcon.Response, user_id: str) -> None:
        """Show the user."""
        with self._app.read(req.context.identity) as tx:
            user = get_user(tx, user_id)
        resp.media = user_object(user)

    @operation(body=UserBody(partial=True), answers={200: UserObject})
    def on_patch(
        self, req: falcon.Request, resp: falcon.Response, user_id: str, *, body: dict[str, Any]
    ) -> None:
        """Change name or role."""
        identity = req.context.identity
        user = self._app.transact(
            identity, lambda tx: update_user(tx, user_id, body, maker_role=identity.role)
        )
        resp.media = user_object(user)

    @operation(answers={204: None})
    def on_delete(self, req: falcon.Request, resp: falcon.Response, user_id: str) -> None:
        """Delete the user; sessions and API keys end with them."""
        identity = req.context.identity
        self._app.transact(identity, lambda tx: delete_user(tx, user_id, maker_role=identity.role))
        resp.status = falcon.HTTP_204
