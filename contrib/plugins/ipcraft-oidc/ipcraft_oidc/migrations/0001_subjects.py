"""Create the table of who is who at the issuer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ipcraft.plugin import ExactText, Seconds, protect

revision = "oidc_0001"
down_revision = None


def upgrade() -> None:
    """Create the table and wall it off."""
    op.create_table(
        "oidc_subjects",
        sa.Column("organization_id", ExactText, primary_key=True),
        sa.Column("issuer", ExactText, primary_key=True),
        sa.Column("subject", ExactText, primary_key=True),
        sa.Column("user_id", ExactText, nullable=False),
        sa.Column("created_at", Seconds, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "user_id"], ["users.organization_id", "users.id"]
        ),
        sa.UniqueConstraint("organization_id", "issuer", "user_id", name="uq_oidc_subjects_user"),
    )
    protect(op, "oidc_subjects")
