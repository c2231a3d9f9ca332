"""Create the table of the jobs' schedules. It is nobody's: no tenant sees it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ipcraft.data.tables import ExactText

revision = "core_0002"
down_revision = "core_0001"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "job_schedules",
        sa.Column("job", ExactText, primary_key=True),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
    )
