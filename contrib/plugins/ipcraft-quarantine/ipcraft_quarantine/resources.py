"""The quarantine over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, TypedDict

import falcon
from msgspec import Meta

from ipcraft.plugin import (
    Application,
    Identity,
    Page,
    Paging,
    Timestamp,
    operation,
    rfc3339,
    send_list,
    stream_list,
)
from ipcraft_ipam import format_address
from ipcraft_quarantine import entries
from ipcraft_quarantine.entries import Entry

_PAGE_SIZE = 1000


class EntryObject(TypedDict):
    """An address in quarantine."""

    id: str
    ip: Annotated[str, Meta(examples=["10.0.1.10"])]
    vrf_id: Annotated[str | None, Meta(description="Null is the global one.")]
    released_at: Timestamp
    ends_at: Timestamp


class EntriesResource:
    """Answer ``/api/v1/quarantine``."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(page=Paging(), answers={200: list[EntryObject]})
    def on_get(self, req: falcon.Request, resp: falcon.Response, *, page: Page) -> None:
        """List the addresses in quarantine by VRF and address."""
        identity = req.context.identity
        if page.limit is None:
            stream_list(resp, _pages(self._app, identity))
            return
        with self._app.read(identity) as tx:
            rows = entries.page(tx, limit=page.limit, offset=page.offset)
            total = entries.count(tx)
        send_list(req, resp, rows=[_shown(row) for row in rows], page=page, total=total)


class EntryResource:
    """Answer ``/api/v1/quarantine/{id}``."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(answers={204: None})
    def on_delete(self, req: falcon.Request, resp: falcon.Response, entry_id: str) -> None:
        """Let the address out at once."""
        self._app.transact(req.context.identity, lambda tx: entries.clear(tx, entry_id))
        resp.status = falcon.HTTP_204


def _pages(app: Application, identity: Identity) -> Iterator[list[EntryObject]]:
    """Read each page in a transaction of its own: a slow reader holds no connection."""
    after = entries.FIRST
    while True:
        with app.read(identity) as tx:
            rows = entries.page(tx, after=after, limit=_PAGE_SIZE)
        yield [_shown(row) for row in rows]
        if len(rows) < _PAGE_SIZE:
            return
        after = rows[-1].position


def _shown(entry: Entry) -> EntryObject:
    return {
        "id": entry.id,
        "ip": format_address(entry.ip),
        "vrf_id": entry.vrf_id or None,
        "released_at": rfc3339(entry.released_at),
        "ends_at": rfc3339(entry.ends_at),
    }
