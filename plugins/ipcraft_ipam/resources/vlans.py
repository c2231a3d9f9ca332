"""VLANs over HTTP."""

from __future__ import annotations

import falcon

from ipcraft.plugin import Application, load, query_integer
from ipcraft_ipam import vlans
from ipcraft_ipam.representation import vlan_object
from ipcraft_ipam.resources.filters import given_filters
from ipcraft_ipam.resources.registers import send_records
from ipcraft_ipam.schemas import VlanBody
from ipcraft_ipam.vlans import HIGHEST, LOWEST, VLANS

_NEW = VlanBody()
_CHANGE = VlanBody(partial=True)


class VlansResource:
    """List and create VLANs."""

    def __init__(self, app: Application) -> None:
        self._app = app

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """List the VLANs, the newest first."""
        filters = given_filters(req, ("name",))
        number = query_integer(req, "number", least=LOWEST, most=HIGHEST)
        if number is not None:
            filters["number"] = number
        send_records(self._app, req, resp, register=VLANS, filters=filters, show=vlan_object)

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Create a VLAN."""
        values = load(req, _NEW)
        vlan = self._app.transact(req.context.identity, lambda tx: vlans.create(tx, values))
        resp.status = falcon.HTTP_201
        resp.media = vlan_object(vlan)


class VlanResource:
    """Show, change and delete one VLAN."""

    def __init__(self, app: Application) -> None:
        self._app = app

    def on_get(self, req: falcon.Request, resp: falcon.Response, vlan_id: str) -> None:
        """Show the VLAN."""
        with self._app.look(req.context.identity) as reader:
            vlan = vlans.get(reader, vlan_id)
        resp.media = vlan_object(vlan)

    def on_patch(self, req: falcon.Request, resp: falcon.Response, vlan_id: str) -> None:
        """Change the given fields."""
        values = load(req, _CHANGE)
        vlan = self._app.transact(
            req.context.identity, lambda tx: vlans.change(tx, vlan_id, values)
        )
        resp.media = vlan_object(vlan)

    def on_delete(self, req: falcon.Request, resp: falcon.Response, vlan_id: str) -> None:
        """Delete the VLAN; its subnets stay."""
        self._app.transact(req.context.identity, lambda tx: vlans.remove(tx, vlan_id))
        resp.status = falcon.HTTP_204
