"""Create the tables of sessions and invitations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ipcraft.plugin import ExactText, protect

revision = "accounts_0002"
down_revision = "accounts_0001"


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("organization_id", ExactText, primary_key=True),
        sa.Column("id", ExactText, primary_key=True),
        sa.Column("user_id", ExactText, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("method", ExactText, nullable=False),
        sa.Column("user_agent", ExactText),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "user_id"], ["users.organization_id", "users.id"]
        ),
    )
    op.create_index("sessions_token_hash", "sessions", ["token_hash"], unique=True)
    op.create_index("sessions_user", "sessions", ["organization_id", "user_id"])
    op.create_table(
        "invitations",
        sa.Column("organization_id", ExactText, primary_key=True),
        sa.Column("id", ExactText, primary_key=True),
        sa.Column("email", ExactText, nullable=False),
        sa.Column("role", ExactText, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.organization_id"]),
        sa.UniqueConstraint("organization_id", "email"),
    )
    op.create_index("invitations_email", "invitations", ["email"])
    protect(op, "sessions")
    protect(op, "invitations")
