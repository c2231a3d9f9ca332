"""What is told of the connections in ``/metrics``."""

from __future__ import annotations

from collections.abc import Sequence

from ipcraft.plugin import Gauge, Storage
from ipcraft_postgresql.storage import PostgreSQLStorage


def gauges(storage: Storage) -> Sequence[Gauge]:
    """Give what is read of the pool of each process, if this is the storage in use."""
    if not isinstance(storage, PostgreSQLStorage):
        return []
    leases = storage.leases
    return [
        Gauge(
            name="database_connections",
            description="Connections to the database that are open, by whether they are in use.",
            labels=("state",),
            read=lambda: {("in_use",): float(leases.lent), ("idle",): float(leases.idle)},
            per_process=True,
        ),
        Gauge(
            name="database_connections_most",
            description="Connections to the database that there may be.",
            read=lambda: float(leases.most),
            per_process=True,
        ),
    ]
