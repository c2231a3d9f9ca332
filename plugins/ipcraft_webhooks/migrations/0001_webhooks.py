"""Create the tables of webhooks and of their deliveries."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ipcraft.plugin import ExactText, protect

revision = "webhooks_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "webhooks",
        sa.Column("organization_id", ExactText, primary_key=True),
        sa.Column("id", ExactText, primary_key=True),
        sa.Column("url", ExactText, nullable=False),
        sa.Column("description", ExactText),
        sa.Column("event_types", ExactText, nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("failure_count", sa.Integer(), nullable=False),
        sa.Column("disabled_reason", ExactText),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("previous_secret", sa.LargeBinary()),
        sa.Column("previous_until", sa.BigInteger()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.organization_id"]),
    )
    op.create_index("webhooks_id", "webhooks", ["id"], unique=True)
    protect(op, "webhooks")
    op.create_table(
        "webhook_deliveries",
        sa.Column("organization_id", ExactText, primary_key=True),
        sa.Column("id", ExactText, primary_key=True),
        sa.Column("webhook_id", ExactText, nullable=False),
        sa.Column("event_id", ExactText, nullable=False),
        sa.Column("event_type", ExactText, nullable=False),
        sa.Column("series", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("body", ExactText, nullable=False),
        sa.Column("due_at", sa.BigInteger()),
        sa.Column("delivered_at", sa.BigInteger()),
        sa.Column("response_status", sa.Integer()),
        sa.Column("duration_ms", sa.Integer()),
        sa.Column("response_body", ExactText),
        sa.Column("error", ExactText),
        sa.Column("next_attempt_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["organization_id", "webhook_id"], ["webhooks.organization_id", "webhooks.id"]
        ),
    )
    op.create_index(
        "webhook_deliveries_attempt",
        "webhook_deliveries",
        ["webhook_id", "event_id", "series", "attempt"],
        unique=True,
    )
    _create_partial_index(
        "webhook_deliveries_due", ["webhook_id", "due_at"], where="due_at IS NOT NULL"
    )
    _create_partial_index(
        "webhook_deliveries_log",
        ["webhook_id", "delivered_at", "id"],
        where="delivered_at IS NOT NULL",
    )
    protect(op, "webhook_deliveries")


def _create_partial_index(name: str, columns: list[str], *, where: str) -> None:
    condition = sa.text(where)
    op.create_index(
        name,
        "webhook_deliveries",
        columns,
        postgresql_where=condition,
        sqlite_where=condition,
    )
