"""Folders over HTTP."""

from __future__ import annotations

import falcon

from ipcraft.plugin import Application, Page, Reader, Row, load, send_list, stream_list
from ipcraft_ipam import sections
from ipcraft_ipam.representation import section_object
from ipcraft_ipam.resources.paging import PAGE_SIZE, pages
from ipcraft_ipam.schemas import SectionBody
from ipcraft_ipam.sections import Section

_NEW = SectionBody()
_CHANGE = SectionBody(partial=True)


class SectionsResource:
    """List and create folders."""

    def __init__(self, app: Application) -> None:
        self._app = app

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """List the folders by sort order and name."""
        identity = req.context.identity
        page = Page.of(req)
        if page.limit is None:
            found = pages(
                self._app, identity, read=_page_after, place=_position, show=section_object
            )
            stream_list(resp, found)
            return
        with self._app.look(identity) as reader:
            rows, total = sections.page_of(reader, limit=page.limit, offset=page.offset)
        send_list(req, resp, rows=[section_object(row) for row in rows], page=page, total=total)

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


def _page_after(tx: Reader, after: Row | None) -> list[Section]:
    return sections.page(tx, after=after or sections.FIRST, limit=PAGE_SIZE)


def _position(row: Section) -> Row:
    return row.sort_order, row.name, row.id
