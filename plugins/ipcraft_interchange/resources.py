"""Import and export over HTTP."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, cast

import falcon
import structlog
from msgspec import Meta

from ipcraft.plugin import (
    Application,
    Body,
    Content,
    Identity,
    Page,
    Paging,
    RawBody,
    Transaction,
    operation,
    send_list,
    stream_list,
)
from ipcraft_interchange import imports
from ipcraft_interchange.exporting import FORMATS, Format, Inventory, export
from ipcraft_interchange.importers import Importer, unknown_format
from ipcraft_interchange.imports import StoredImport
from ipcraft_interchange.intake import Upload
from ipcraft_interchange.reports import OUTCOMES
from ipcraft_interchange.representation import ImportObject, RowObject, import_object
from ipcraft_interchange.runs import order
from ipcraft_interchange.schemas import ExportQuery, RowsQuery, RunBody, UploadQuery
from ipcraft_interchange.staging import Outcome
from ipcraft_interchange.uploads import pieces_of, received

_log = structlog.get_logger("ipcraft.interchange")


class ImportsResource:
    """Answer ``/api/v1/imports``."""

    def __init__(self, app: Application, importers: Callable[[], Sequence[Importer]]) -> None:
        self._app = app
        self._importers = importers

    @operation(page=Paging(), answers={200: list[ImportObject]})
    def on_get(self, req: falcon.Request, resp: falcon.Response, *, page: Page) -> None:
        """List the imports, the newest first."""
        with self._app.look(req.context.identity) as reader:
            if page.limit is None:
                rows, total = imports.listed(reader), None
            else:
                rows, total = imports.page_of(reader, limit=page.limit, offset=page.offset)
        send_list(req, resp, rows=[import_object(row) for row in rows], page=page, total=total)

    @operation(
        query=UploadQuery(),
        body=RawBody(
            {
                falcon.MEDIA_TEXT: None,
                "text/csv": None,
                falcon.MEDIA_JSON: None,
                "application/zip": None,
                "application/octet-stream": None,
                falcon.MEDIA_MULTIPART: None,
            }
        ),
        answers={202: Content(ImportObject, headers={"Location": "Where the import is."})},
    )
    def on_post(self, req: falcon.Request, resp: falcon.Response, *, query: dict[str, Any]) -> None:
        """Take files; a job checks them, and writes what they have if that is asked for.

        The body is the file, or a form of files.
        """
        section: Mapping[str, Any] = self._app.section("interchange")
        choices = self._choices(query)
        with tempfile.TemporaryDirectory(prefix="ipcraft-upload-") as folder:
            uploads = received(
                req, Path(folder), name=query["filename"], limit=section["max_bytes"]
            )

            def work(tx: Transaction) -> StoredImport:
                stored = imports.create(
                    tx,
                    files=[upload.name for upload in uploads],
                    size=sum(upload.path.stat().st_size for upload in uploads),
                    choices=choices,
                    run=query["run"],
                    skip_bad_rows=query["skip_bad_rows"],
                    most_waiting=section["max_waiting"],
                )
                _keep(tx, stored, uploads)
                order(self._app, tx, stored)
                return stored

            stored = self._app.transact(req.context.identity, work)
        resp.status = falcon.HTTP_202
        resp.location = f"/api/v1/imports/{stored.id}"
        resp.media = import_object(stored)

    def _choices(self, query: Mapping[str, Any]) -> dict[str, Any]:
        name = query["format"]
        known = [importer.name for importer in self._importers()]
        if name is not None and name not in known:
            raise unknown_format(name, known)
        return {each: query[each] for each in ("format", "section", "vrf", "columns")}


class ImportResource:
    """Answer ``/api/v1/imports/{id}``."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(answers={200: ImportObject})
    def on_get(self, req: falcon.Request, resp: falcon.Response, import_id: str) -> None:
        """Show an import: how far it is, and the report in short."""
        with self._app.look(req.context.identity) as reader:
            stored = imports.get(reader, import_id)
        resp.media = import_object(stored)

    @operation(answers={204: None})
    def on_delete(self, req: falcon.Request, resp: falcon.Response, import_id: str) -> None:
        """Forget an import, its files and its report; one under way stops where it is."""
        self._app.transact(req.context.identity, lambda tx: imports.remove(tx, import_id))
        resp.status = falcon.HTTP_204


class RunResource:
    """Answer ``/api/v1/imports/{id}/run``."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(
        body=Body(RunBody(), optional=True),
        answers={202: ImportObject},
        errors={409: "The import is in a state in which it is not run."},
    )
    def on_post(
        self, req: falcon.Request, resp: falcon.Response, import_id: str, *, body: dict[str, Any]
    ) -> None:
        """Have a checked import written."""

        def work(tx: Transaction) -> StoredImport:
            stored = imports.begin(tx, import_id, skip_bad_rows=body["skip_bad_rows"])
            order(self._app, tx, stored)
            return stored

        stored = self._app.transact(req.context.identity, work)
        resp.status = falcon.HTTP_202
        resp.media = import_object(stored)


class RowsResource:
    """Answer ``/api/v1/imports/{id}/rows``."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(query=RowsQuery(), page=Paging(), answers={200: list[RowObject]})
    def on_get(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        import_id: str,
        *,
        query: dict[str, Any],
        page: Page,
    ) -> None:
        """List what becomes of each row, in the files' order; of one `outcome` if it is named."""
        identity, outcome = req.context.identity, query["outcome"]
        with self._app.look(identity) as reader:
            imports.get(reader, import_id)
            pages = imports.report_pages(reader, import_id)
        wanted = cast("Sequence[Outcome]", OUTCOMES if outcome is None else (outcome,))
        counted = [
            (number, count)
            for number, counts in pages
            if (count := sum(counts[each] for each in wanted))
        ]
        rows = self._rows(identity, import_id, wanted)
        if page.limit is None:
            stream_list(resp, (rows(number) for number, _ in counted))
            return
        total = sum(count for _, count in counted)
        found = _part(counted, rows, offset=page.offset, limit=page.limit)
        send_list(req, resp, rows=found, page=page, total=total)

    def _rows(
        self, identity: Identity, import_id: str, wanted: Sequence[Outcome]
    ) -> Callable[[int], list[dict[str, Any]]]:
        def rows(number: int) -> list[dict[str, Any]]:
            with self._app.look(identity) as reader:
                page = imports.report_page(reader, import_id, number)
            return [row for row in page if row["outcome"] in wanted]

        return rows


Archive = Annotated[str, Meta(extra_json_schema={"format": "binary"})]
"""The bytes of an archive, as a type for the API's document."""


class ExportResource:
    """Answer ``/api/v1/export``."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(
        query=ExportQuery(),
        answers={
            200: Content(
                Archive,
                media_type="application/zip",
                also={falcon.MEDIA_JSON: Mapping[str, Any]},
                description="An archive of tables, or with `format=json` a document of lists.",
                headers={"Content-Disposition": "The name to keep it under."},
            )
        },
    )
    def on_get(self, req: falcon.Request, resp: falcon.Response, *, query: dict[str, Any]) -> None:
        """Give everything there is, as CSV in an archive or as one JSON document."""
        form = cast("Format", query["format"])
        name, media_type = FORMATS[form]
        identity = req.context.identity
        pieces = export(Inventory(lambda: self._app.look(identity)), form)
        first = next(pieces)  # while an error can still be an answer
        resp.content_type = media_type
        resp.downloadable_as = name
        resp.stream = _told(first, pieces)


def _told(first: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Give the pieces; what goes wrong cuts the answer and is logged."""
    yield first
    try:
        yield from pieces
    except Exception:
        _log.exception("an export was cut")
        raise


def _keep(tx: Transaction, stored: StoredImport, uploads: Sequence[Upload]) -> None:
    for index, upload in enumerate(uploads):
        imports.add_pieces(tx, stored.id, index, pieces_of(upload.path))


def _part(
    counted: Sequence[tuple[int, int]],
    rows: Callable[[int], list[dict[str, Any]]],
    *,
    offset: int,
    limit: int,
) -> list[dict[str, Any]]:
    """Give some of the rows, unpacking only the pages that they are on."""
    found: list[dict[str, Any]] = []
    for number, count in counted:
        if offset >= count:
            offset -= count
            continue
        found += rows(number)[offset : offset + limit - len(found)]
        offset = 0
        if len(found) == limit:
            break
    return found
