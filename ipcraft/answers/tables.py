"""The table of kept answers."""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary

from ipcraft.data.tables import Seconds, tenant_table
from ipcraft.jobs.tables import metadata

__all__ = ["kept_answers", "metadata"]

kept_answers = tenant_table(
    "kept_answers",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("request", LargeBinary, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("created_at", Seconds, nullable=False),
)
"""The answer to each request that came with an ``Idempotency-Key``, written where it commits.

`key` and `request` are digests that nobody can make without the secret key; `answer` is sealed.
"""

Index("kept_answers_by_time", kept_answers.c.created_at)
