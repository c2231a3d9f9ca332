"""Import and export: the inventory from and to files, ours and other systems'."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from ipcraft.plugin import (
    Application,
    Command,
    EventType,
    Job,
    Migrations,
    Route,
    Schema,
    hookimpl,
)
from ipcraft_interchange import hookspecs
from ipcraft_interchange.commands import COMMANDS
from ipcraft_interchange.entries import Broken, Entry, Problem, Unkept
from ipcraft_interchange.files.documents import Document
from ipcraft_interchange.files.json_items import Item
from ipcraft_interchange.files.tables import Row
from ipcraft_interchange.formats import BUILT_IN
from ipcraft_interchange.importers import Importer
from ipcraft_interchange.schemas import InterchangeSettings
from ipcraft_interchange.services import jobs, routes
from ipcraft_interchange.tables import metadata

API = 1

__all__ = [
    "API",
    "Broken",
    "Document",
    "Entry",
    "Importer",
    "Item",
    "Problem",
    "Row",
    "Unkept",
]


@hookimpl
def ipcraft_hookspecs() -> ModuleType:
    """Offer `ipcraft_importers`."""
    return hookspecs


@hookimpl
def ipcraft_config_schema() -> type[Schema]:
    """Give the settings."""
    return InterchangeSettings


@hookimpl
def ipcraft_migrations() -> Migrations:
    """Give the tables of imports."""
    return Migrations(metadata, Path(__file__).parent / "migrations")


@hookimpl
def ipcraft_event_types() -> Sequence[EventType]:
    """Declare what happens to imports."""
    return [
        EventType("import.created", "Files were uploaded for an import.", internal=True),
        EventType("import.updated", "An import was checked, begun, done or failed.", internal=True),
        EventType("import.deleted", "An import was deleted.", internal=True),
    ]


@hookimpl
def ipcraft_routes(app: Application) -> Sequence[Route]:
    """Serve imports and the export."""
    return routes(app)


@hookimpl
def ipcraft_jobs(app: Application) -> Sequence[Job]:
    """Work imports off, and forget old ones."""
    return jobs(app)


@hookimpl
def ipcraft_commands() -> Sequence[Command]:
    """Give `import` and `export`."""
    return COMMANDS


@hookimpl
def ipcraft_importers(app: Application) -> Sequence[Importer]:
    """Give the importers of formats that many have."""
    return BUILT_IN
