"""VLANs over HTTP."""

from __future__ import annotations

from typing import Any

import falcon

from ipcraft.plugin import Application, Page, Paging, operation
from ipcraft_ipam import vlans
from ipcraft_ipam.representation import VlanObject, vlan_object
from ipcraft_ipam.resources.registers import send_records
from ipcraft_ipam.schemas import VlanBody, VlansQuery
from ipcraft_ipam.vlans import VLANS


class VlansResource:
    """List and create VLANs."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(query=VlansQuery(), page=Paging(), answers={200: list[VlanObject]})
    def on_get(
        self, req: falcon.Request, resp: falcon.Response, *, query: dict[str, Any], page: Page
    ) -> None:
        """List the VLANs, the newest first."""
        send_records(
            self._app, req, resp, register=VLANS, filters=query, page=page, show=vlan_object
        )

    @operation(body=VlanBody(), answers={201: VlanObject})
    def on_post(self, req: falcon.Request, resp: falcon.Response, *, body: dict[str, Any]) -> None:
        """Create a VLAN."""
        vlan = self._app.transact(req.context.identity, lambda tx: vlans.create(tx, body))
        resp.status = falcon.HTTP_201
        resp.media = vlan_object(vlan)


class VlanResource:
    """Show, change and delete one VLAN."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(answers={200: VlanObject})
    def on_get(self, req: falcon.Request, resp: falcon.Response, vlan_id: str) -> None:
        """Show the VLAN."""
        with self._app.look(req.context.identity) as reader:
            vlan = vlans.get(reader, vlan_id)
        resp.media = vlan_object(vlan)

    @operation(body=VlanBody(partial=True), answers={200: VlanObject})
    def on_patch(
        self, req: falcon.Request, resp: falcon.Response, vlan_id: str, *, body: dict[str, Any]
    ) -> None:
        """Change the given fields."""
        vlan = self._app.transact(req.context.identity, lambda tx: vlans.change(tx, vlan_id, body))
        resp.media = vlan_object(vlan)

    @operation(answers={204: None})
    def on_delete(self, req: falcon.Request, resp: falcon.Response, vlan_id: str) -> None:
        """Delete the VLAN; its subnets stay."""
        self._app.transact(req.context.identity, lambda tx: vlans.remove(tx, vlan_id))
        resp.status = falcon.HTTP_204
