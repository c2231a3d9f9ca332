"""Create the table of answers that are kept for requests which are sent again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ipcraft.data.migrations import protect
from ipcraft.data.tables import ExactText

revision = "core_0004"
down_revision = "core_0003"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "kept_answers",
        sa.Column("organization_id", ExactText, primary_key=True),
        sa.Column("key", sa.LargeBinary(), primary_key=True),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("kept_answers_by_time", "kept_answers", ["created_at"])
    protect(op, "kept_answers")
