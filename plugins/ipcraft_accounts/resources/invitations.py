"""Invitations over HTTP."""

from __future__ import annotations

from typing import Any

import falcon

from ipcraft.plugin import Application, Page, Paging, Transaction, operation, send_list
from ipcraft_accounts.invitations import (
    Invitation,
    count_invitations,
    create_invitation,
    delete_invitation,
    list_invitations,
)
from ipcraft_accounts.representation import InvitationObject, invitation_object
from ipcraft_accounts.schemas import InvitationBody


class InvitationsResource:
    """Answer ``/api/v1/invitations``."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(page=Paging(), answers={200: list[InvitationObject]})
    def on_get(self, req: falcon.Request, resp: falcon.Response, *, page: Page) -> None:
        """List the invitations, the newest first."""
        with self._app.read(req.context.identity) as tx:
            found = list_invitations(tx, limit=page.limit, offset=page.offset)
            total = count_invitations(tx) if page.asked else None
        send_list(
            req, resp, rows=[invitation_object(each) for each in found], page=page, total=total
        )

    @operation(body=InvitationBody(), answers={201: InvitationObject})
    def on_post(self, req: falcon.Request, resp: falcon.Response, *, body: dict[str, Any]) -> None:
        """Invite an address."""
        identity = req.context.identity

        def work(tx: Transaction) -> Invitation:
            return create_invitation(tx, maker_role=identity.role, **body)

        resp.media = invitation_object(self._app.transact(identity, work))
        resp.status = falcon.HTTP_201


class InvitationResource:
    """Answer ``/api/v1/invitations/{id}``."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(answers={204: None})
    def on_delete(self, req: falcon.Request, resp: falcon.Response, invitation_id: str) -> None:
        """Withdraw the invitation."""
        self._app.transact(req.context.identity, lambda tx: delete_invitation(tx, invitation_id))
        resp.status = falcon.HTTP_204
