"""The tables of jobs: what was asked for and what became of it, and when each is due by itself."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table

from ipcraft.data.tables import ExactText, Seconds
from ipcraft.events.tables import metadata

__all__ = ["job_schedules", "jobs", "metadata"]

job_schedules = Table(
    "job_schedules",
    metadata,
    Column("job", ExactText, primary_key=True),
    Column("due_at", Seconds, nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", ExactText, primary_key=True),
    Column("organization_id", ExactText),
    Column("name", ExactText, nullable=False),
    Column("payload", ExactText, nullable=False),
    Column("request_id", ExactText),
    Column("state", ExactText, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("reason", ExactText),
    Column("due_at", BigInteger),
    Column("lease", ExactText),
    Column("created_at", Seconds, nullable=False),
    Column("finished_at", Seconds),
)
"""Every order of a job. One that an organization's work gave is erased with the organization.

`due_at`, in milliseconds since the epoch, is when somebody may take the order; while somebody has
it, the end of that lease; and null when it is finished.
"""

_due = jobs.c.due_at
Index("jobs_due", _due, postgresql_where=_due.is_not(None), sqlite_where=_due.is_not(None))
Index("jobs_by_organization", jobs.c.organization_id)
Index("jobs_by_state", jobs.c.state, jobs.c.finished_at)
