"""What the plugin gives an application: the parts of it put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from ipcraft.plugin import ONCE, Application, Job, Route
from ipcraft_interchange.importers import Importer
from ipcraft_interchange.resources import (
    ExportResource,
    ImportResource,
    ImportsResource,
    RowsResource,
    RunResource,
)
from ipcraft_interchange.runs import JOB, TIDY, Runs

_TIDY_EVERY = 3600
_PATH = "/api/v1/imports"


def importers(app: Application) -> Sequence[Importer]:
    """Give every plugin's importers, ours last. Raises `PluginError` for a name given twice."""
    given = app.registry.named("ipcraft_importers", kind=Importer, app=app)
    return [*given.values()][::-1]


def jobs(app: Application) -> Sequence[Job]:
    """Give the jobs."""
    runs = Runs(app, _later(app))
    return [
        Job(name=JOB, run=runs.run),
        Job(name=TIDY, run=lambda payload: runs.tidy(), retries=ONCE, every=_TIDY_EVERY),
    ]


def routes(app: Application) -> Sequence[Route]:
    """Give the routes."""
    importers(app)  # so that a name given twice stops the start, not an import
    one = f"{_PATH}/{{import_id}}"
    return [
        Route("/api/v1/export", ExportResource(app)),
        Route(_PATH, ImportsResource(app, _later(app))),
        Route(one, ImportResource(app)),
        Route(f"{one}/run", RunResource(app)),
        Route(f"{one}/rows", RowsResource(app)),
    ]


def _later(app: Application) -> Callable[[], Sequence[Importer]]:
    return cache(lambda: importers(app))
