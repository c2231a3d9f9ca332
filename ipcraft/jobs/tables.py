"""The table of schedules: when each job is due next, for all processes together."""

from __future__ import annotations

from sqlalchemy import Column, Table

from ipcraft.data.tables import ExactText, Seconds
from ipcraft.events.tables import metadata

__all__ = ["job_schedules", "metadata"]

job_schedules = Table(
    "job_schedules",
    metadata,
    Column("job", ExactText, primary_key=True),
    Column("due_at", Seconds, nullable=False),
)
