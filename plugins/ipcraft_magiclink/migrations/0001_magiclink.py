"""Create the tables of links and of invitations to be mailed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ipcraft.plugin import ExactText, protect

revision = "magiclink_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "magiclink_links",
        sa.Column("id", ExactText, primary_key=True),
        sa.Column("mailbox", ExactText, nullable=False),
        sa.Column("email", ExactText, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("nonce_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger()),
    )
    op.create_index("magiclink_links_token_hash", "magiclink_links", ["token_hash"], unique=True)
    op.create_index("magiclink_links_mailbox", "magiclink_links", ["mailbox", "created_at"])
    op.create_index("magiclink_links_created_at", "magiclink_links", ["created_at"])
    op.create_table(
        "magiclink_invitations",
        sa.Column("organization_id", ExactText, primary_key=True),
        sa.Column("id", ExactText, primary_key=True),
        sa.Column("email", ExactText, nullable=False),
        sa.Column("token_hash", sa.LargeBinary()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger()),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
    )
    op.create_index(
        "magiclink_invitations_token_hash", "magiclink_invitations", ["token_hash"], unique=True
    )
    op.create_index("magiclink_invitations_due_at", "magiclink_invitations", ["due_at"])
    protect(op, "magiclink_invitations")
