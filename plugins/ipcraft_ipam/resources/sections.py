"""Folders over HTTP."""

from __future__ import annotations

from typing import Any

import falcon

from ipcraft.plugin import Application, Page, Paging, operation
from ipcraft_ipam import sections
from ipcraft_ipam.representation import SectionObject, section_object
from ipcraft_ipam.resources.registers import send_records
from ipcraft_ipam.schemas import SectionBody
from ipcraft_ipam.sections import SECTIONS


class SectionsResource:
    """List and create folders."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(page=Paging(), answers={200: list[SectionObject]})
    def on_get(self, req: falcon.Request, resp: falcon.Response, *, page: Page) -> None:
        """List the folders by sort order and name."""
        send_records(
            self._app, req, resp, register=SECTIONS, filters={}, page=page, show=section_object
        )

    @operation(body=SectionBody(), answers={201: SectionObject})
    def on_post(self, req: falcon.Request, resp: falcon.Response, *, body: dict[str, Any]) -> None:
        """Create a folder."""
        section = self._app.transact(req.context.identity, lambda tx: sections.create(tx, body))
        resp.status = falcon.HTTP_201
        resp.media = section_object(section)


class SectionResource:
    """Show, change and delete one folder."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(answers={200: SectionObject})
    def on_get(self, req: falcon.Request, resp: falcon.Response, section_id: str) -> None:
        """Show the folder."""
        with self._app.look(req.context.identity) as reader:
            section = sections.get(reader, section_id)
        resp.media = section_object(section)

    @operation(body=SectionBody(partial=True), answers={200: SectionObject})
    def on_patch(
        self, req: falcon.Request, resp: falcon.Response, section_id: str, *, body: dict[str, Any]
    ) -> None:
        """Change the given fields."""
        section = self._app.transact(
            req.context.identity, lambda tx: sections.change(tx, section_id, body)
        )
        resp.media = section_object(section)

    @operation(answers={204: None})
    def on_delete(self, req: falcon.Request, resp: falcon.Response, section_id: str) -> None:
        """Delete the folder; its subnets stay."""
        self._app.transact(req.context.identity, lambda tx: sections.remove(tx, section_id))
        resp.status = falcon.HTTP_204
