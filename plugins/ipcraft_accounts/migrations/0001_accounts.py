"""Create the tables of organizations and users."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ipcraft.plugin import ExactText, protect

revision = "accounts_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "organizations",
        sa.Column("organization_id", ExactText, primary_key=True),
        sa.Column("name", ExactText, nullable=False),
        sa.Column("plan", ExactText, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "users",
        sa.Column("organization_id", ExactText, primary_key=True),
        sa.Column("id", ExactText, primary_key=True),
        sa.Column("email", ExactText, nullable=False),
        sa.Column("name", ExactText, nullable=False),
        sa.Column("role", ExactText, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.organization_id"]),
    )
    op.create_index("users_email", "users", ["email"], unique=True)
    protect(op, "organizations")
    protect(op, "users")
