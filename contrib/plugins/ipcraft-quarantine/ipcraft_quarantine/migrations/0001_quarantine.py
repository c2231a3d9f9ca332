"""Create the table of quarantined addresses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ipcraft.plugin import AddressBytes, ExactText, Seconds, protect

revision = "quarantine_0001"
down_revision = None


def upgrade() -> None:
    """Create the table and wall it off."""
    op.create_table(
        "quarantine",
        sa.Column("organization_id", ExactText, primary_key=True),
        sa.Column("id", ExactText, primary_key=True),
        sa.Column("vrf_id", ExactText, nullable=False),
        sa.Column("ip", AddressBytes, nullable=False),
        sa.Column("released_at", Seconds, nullable=False),
        sa.Column("ends_at", Seconds, nullable=False),
        sa.UniqueConstraint("organization_id", "vrf_id", "ip", name="uq_quarantine_ip"),
    )
    op.create_index("ix_quarantine_ends_at", "quarantine", ["organization_id", "ends_at"])
    protect(op, "quarantine")
