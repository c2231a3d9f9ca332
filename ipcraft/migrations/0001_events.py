"""Create the table of events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ipcraft.data.migrations import protect
from ipcraft.data.tables import ExactText

revision = "core_0001"
down_revision = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "events",
        sa.Column("organization_id", ExactText, primary_key=True),
        sa.Column("id", ExactText, primary_key=True),
        sa.Column("type", ExactText, nullable=False),
        sa.Column("resource_id", ExactText, nullable=False),
        sa.Column("actor", ExactText),
        sa.Column("label", ExactText, nullable=False),
        sa.Column("details", ExactText, nullable=False),
        sa.Column("data", ExactText, nullable=False),
        sa.Column("request_id", ExactText),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger()),
    )
    protect(op, "events")
