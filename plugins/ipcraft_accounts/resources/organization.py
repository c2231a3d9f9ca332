"""The sender's organization over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import falcon

from ipcraft.plugin import Application, Transaction, operation
from ipcraft_accounts.cookies import clear_session_cookie
from ipcraft_accounts.organizations import (
    Organization,
    delete_organization,
    get_organization,
    rename_organization,
)
from ipcraft_accounts.representation import OrganizationObject, organization_object
from ipcraft_accounts.resources.sender import session_of
from ipcraft_accounts.schemas import Confirmation, OrganizationBody


class OrganizationResource:
    """Answer ``/api/v1/organization``."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(answers={200: OrganizationObject})
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Show the organization."""
        with self._app.read(req.context.identity) as tx:
            organization = get_organization(tx)
        resp.media = organization_object(organization)

    @operation(body=OrganizationBody(partial=True), answers={200: OrganizationObject})
    def on_patch(self, req: falcon.Request, resp: falcon.Response, *, body: dict[str, Any]) -> None:
        """Rename the organization."""
        organization = self._app.transact(req.context.identity, lambda tx: _changed(tx, body))
        resp.media = organization_object(organization)

    @operation(body=Confirmation(), answers={204: None})
    def on_delete(
        self, req: falcon.Request, resp: falcon.Response, *, body: dict[str, Any]
    ) -> None:
        """Delete the organization and all that is in it; its name in the body confirms that."""
        identity = req.context.identity
        self._app.transact(
            identity, lambda tx: delete_organization(tx, self._app, confirmed=body["name"])
        )
        if session_of(identity):
            clear_session_cookie(self._app, resp)
        resp.status = falcon.HTTP_204


def _changed(tx: Transaction, values: Mapping[str, Any]) -> Organization:
    return rename_organization(tx, values["name"]) if "name" in values else get_organization(tx)
