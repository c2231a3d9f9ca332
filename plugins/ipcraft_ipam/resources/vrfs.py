"""VRFs over HTTP."""

from __future__ import annotations

import falcon

from ipcraft.plugin import Application, load
from ipcraft_ipam import vrfs
from ipcraft_ipam.representation import vrf_object
from ipcraft_ipam.resources.filters import given_filters
from ipcraft_ipam.resources.registers import send_records
from ipcraft_ipam.route_distinguishers import parse_route_distinguisher
from ipcraft_ipam.schemas import VrfBody
from ipcraft_ipam.vrfs import VRFS

_NEW = VrfBody()
_CHANGE = VrfBody(partial=True)


class VrfsResource:
    """List and create VRFs."""

    def __init__(self, app: Application) -> None:
        self._app = app

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """List the VRFs, the newest first."""
        filters = given_filters(req, ("name", "rd"))
        if "rd" in filters:
            filters["rd"] = parse_route_distinguisher(filters["rd"])
        send_records(self._app, req, resp, register=VRFS, filters=filters, show=vrf_object)

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Create a VRF."""
        values = load(req, _NEW)
        vrf = self._app.transact(req.context.identity, lambda tx: vrfs.create(tx, values))
        resp.status = falcon.HTTP_201
        resp.media = vrf_object(vrf)


class VrfResource:
    """Show, change and delete one VRF."""

    def __init__(self, app: Application) -> None:
        self._app = app

    def on_get(self, req: falcon.Request, resp: falcon.Response, vrf_id: str) -> None:
        """Show the VRF."""
        with self._app.look(req.context.identity) as reader:
            vrf = vrfs.get(reader, vrf_id)
        resp.media = vrf_object(vrf)

    def on_patch(self, req: falcon.Request, resp: falcon.Response, vrf_id: str) -> None:
        """Change the given fields."""
        values = load(req, _CHANGE)
        vrf = self._app.transact(req.context.identity, lambda tx: vrfs.change(tx, vrf_id, values))
        resp.media = vrf_object(vrf)

    def on_delete(self, req: falcon.Request, resp: falcon.Response, vrf_id: str) -> None:
        """Delete the VRF, which no subnet may be in."""
        self._app.transact(req.context.identity, lambda tx: vrfs.remove(tx, vrf_id))
        resp.status = falcon.HTTP_204
