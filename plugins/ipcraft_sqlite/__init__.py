"""SQLite, the embedded default: one file, no server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ipcraft.plugin import Application, Schema, StorageBackend, hookimpl
from ipcraft_sqlite.schemas import SQLiteSettings
from ipcraft_sqlite.storage import SQLiteBackend

API = 1


@hookimpl
def ipcraft_config_schema() -> type[Schema]:
    """Give the settings of the connection."""
    return SQLiteSettings


@hookimpl
def ipcraft_storage_backends(app: Application) -> Sequence[StorageBackend]:
    """Serve ``sqlite:///`` URLs."""
    section: Mapping[str, Any] = app.section("sqlite")
    return [SQLiteBackend(**section)]
