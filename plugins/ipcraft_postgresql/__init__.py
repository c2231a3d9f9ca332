"""PostgreSQL: many nodes, row-level security, a pool of connections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ipcraft.plugin import Application, Gauge, Schema, StorageBackend, hookimpl
from ipcraft_postgresql.metrics import gauges
from ipcraft_postgresql.schemas import PostgreSQLSettings
from ipcraft_postgresql.storage import PostgreSQLBackend

API = 1


@hookimpl
def ipcraft_config_schema() -> type[Schema]:
    """Give the settings of the connections."""
    return PostgreSQLSettings


@hookimpl
def ipcraft_storage_backends(app: Application) -> Sequence[StorageBackend]:
    """Serve ``postgresql://`` URLs."""
    section: Mapping[str, Any] = app.section("postgresql")
    return [PostgreSQLBackend(**section, metrics=app.metrics)]


@hookimpl
def ipcraft_gauges(app: Application) -> Sequence[Gauge]:
    """Tell how many connections each process has."""
    return gauges(app.storage)
