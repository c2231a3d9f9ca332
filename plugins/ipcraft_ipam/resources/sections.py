"""Folders over HTTP."""

from __future__ import annotations

import falcon

from ipcraft.plugin import Application, load
from ipcraft_ipam import sections
from ipcraft_ipam.representation import section_object
from ipcraft_ipam.resources.registers import send_records
from ipcraft_ipam.schemas import SectionBody
from ipcraft_ipam.sections import SECTIONS

_NEW = SectionBody()
_CHANGE = SectionBody(partial=True)


class SectionsResource:
    """List and create folders."""

    def __init__(self, app: Application) -> None:
        self._app = app

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """List the folders by sort order and name."""
        send_records(self._app, req, resp, register=SECTIONS, filters={}, show=section_object)

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Create a folder."""
        values = load(req, _NEW)
        section = self._app.transact(req.context.identity, lambda tx: sections.create(tx, values))
        resp.status = falcon.HTTP_201
        resp.media = section_object(section)


class SectionResource:
    """Show, change and delete one folder."""

    def __init__(self, app: Application) -> None:
        self._app = app

    def on_get(self, req: falcon.Request, resp: falcon.Response, section_id: str) -> None:
        """Show the folder."""
        with self._app.look(req.context.identity) as reader:
            section = sections.get(reader, section_id)
        resp.media = section_object(section)

    def on_patch(self, req: falcon.Request, resp: falcon.Response, section_id: str) -> None:
        """Change the given fields."""
        values = load(req, _CHANGE)
        section = self._app.transact(
            req.context.identity, lambda tx: sections.change(tx, section_id, values)
        )
        resp.media = section_object(section)

    def on_delete(self, req: falcon.Request, resp: falcon.Response, section_id: str) -> None:
        """Delete the folder; its subnets stay."""
        self._app.transact(req.context.identity, lambda tx: sections.remove(tx, section_id))
        resp.status = falcon.HTTP_204
