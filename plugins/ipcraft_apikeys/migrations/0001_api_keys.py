"""Create the table of API keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ipcraft.plugin import ExactText, protect

revision = "apikeys_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("organization_id", ExactText, primary_key=True),
        sa.Column("id", ExactText, primary_key=True),
        sa.Column("name", ExactText, nullable=False),
        sa.Column("key_prefix", ExactText, nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("role", ExactText, nullable=False),
        sa.Column("user_id", ExactText),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger()),
        sa.Column("last_used_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.organization_id"]),
        sa.ForeignKeyConstraint(
            ["organization_id", "user_id"], ["users.organization_id", "users.id"]
        ),
    )
    op.create_index("api_keys_key_hash", "api_keys", ["key_hash"], unique=True)
    protect(op, "api_keys")
