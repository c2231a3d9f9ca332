"""VRFs over HTTP."""

from __future__ import annotations

from typing import Any

import falcon

from ipcraft.plugin import Application, Page, Paging, operation
from ipcraft_ipam import vrfs
from ipcraft_ipam.representation import VrfObject, vrf_object
from ipcraft_ipam.resources.registers import send_records
from ipcraft_ipam.schemas import VrfBody, VrfsQuery
from ipcraft_ipam.vrfs import VRFS


class VrfsResource:
    """List and create VRFs."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(query=VrfsQuery(), page=Paging(), answers={200: list[VrfObject]})
    def on_get(
        self, req: falcon.Request, resp: falcon.Response, *, query: dict[str, Any], page: Page
    ) -> None:
        """List the VRFs, the newest first."""
        send_records(self._app, req, resp, register=VRFS, filters=query, page=page, show=vrf_object)

    @operation(body=VrfBody(), answers={201: VrfObject})
    def on_post(self, req: falcon.Request, resp: falcon.Response, *, body: dict[str, Any]) -> None:
        """Create a VRF."""
        vrf = self._app.transact(req.context.identity, lambda tx: vrfs.create(tx, body))
        resp.status = falcon.HTTP_201
        resp.media = vrf_object(vrf)


class VrfResource:
    """Show, change and delete one VRF."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(answers={200: VrfObject})
    def on_get(self, req: falcon.Request, resp: falcon.Response, vrf_id: str) -> None:
        """Show the VRF."""
        with self._app.look(req.context.identity) as reader:
            vrf = vrfs.get(reader, vrf_id)
        resp.media = vrf_object(vrf)

    @operation(body=VrfBody(partial=True), answers={200: VrfObject})
    def on_patch(
        self, req: falcon.Request, resp: falcon.Response, vrf_id: str, *, body: dict[str, Any]
    ) -> None:
        """Change the given fields."""
        vrf = self._app.transact(req.context.identity, lambda tx: vrfs.change(tx, vrf_id, body))
        resp.media = vrf_object(vrf)

    @operation(answers={204: None})
    def on_delete(self, req: falcon.Request, resp: falcon.Response, vrf_id: str) -> None:
        """Delete the VRF, which no subnet may be in."""
        self._app.transact(req.context.identity, lambda tx: vrfs.remove(tx, vrf_id))
        resp.status = falcon.HTTP_204
