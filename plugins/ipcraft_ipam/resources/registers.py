"""Lists of folders, VRFs and VLANs: whole, or a page of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import falcon

from ipcraft.plugin import Application, Page, Reader, Row, send_list, stream_list
from ipcraft_ipam.registers import R, Register
from ipcraft_ipam.resources.paging import PAGE_SIZE, pages

Shown = TypeVar("Shown", bound=Mapping[str, Any])


def send_records(
    app: Application,
    req: falcon.Request,
    resp: falcon.Response,
    *,
    register: Register[R],
    show: Callable[[R], Shown],
    filters: Mapping[str, Any],
    page: Page,
) -> None:
    """Answer with the records of a register whose columns equal the filters."""
    identity = req.context.identity
    if page.limit is None:

        def read(tx: Reader, after: Row | None) -> list[R]:
            return register.page(tx, filters, after=after, limit=PAGE_SIZE)

        stream_list(resp, pages(app, identity, read=read, place=register.place, show=show))
        return
    with app.look(identity) as reader:
        rows, total = register.page_of(reader, filters, limit=page.limit, offset=page.offset)
    send_list(req, resp, rows=list(map(show, rows)), page=page, total=total)
