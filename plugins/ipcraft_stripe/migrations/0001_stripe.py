"""Create the tables of customers, events and endings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ipcraft.plugin import SERVING_ROLE, ExactText, protect

revision = "stripe_0001"
down_revision = None


def upgrade() -> None:
    _create_customers()
    _create_events()
    op.create_table(
        "stripe_endings",
        sa.Column("customer_id", ExactText, primary_key=True),
        sa.Column("noted_at", sa.BigInteger(), nullable=False),
    )
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        # A tenant's transaction may say that something is to end, and sees nobody else's.
        op.execute(f'GRANT INSERT ON stripe_endings TO "{connection.info[SERVING_ROLE]}"')


def _create_customers() -> None:
    op.create_table(
        "stripe_customers",
        sa.Column("organization_id", ExactText, primary_key=True),
        sa.Column("customer_id", ExactText),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("session_id", ExactText),
        sa.Column("session_plan", ExactText),
        sa.Column("looks", sa.BigInteger(), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.Column("plan", ExactText),
        sa.Column("subscriptions", sa.Integer(), nullable=False),
        sa.Column("grace_until", sa.BigInteger()),
        sa.Column("checked_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.organization_id"]),
    )
    op.create_index("stripe_customers_customer", "stripe_customers", ["customer_id"], unique=True)
    op.create_index("stripe_customers_checked", "stripe_customers", ["checked_at"])
    protect(op, "stripe_customers")


def _create_events() -> None:
    op.create_table(
        "stripe_events",
        sa.Column("id", ExactText, primary_key=True),
        sa.Column("organization_id", ExactText),
        sa.Column("type", ExactText, nullable=False),
        sa.Column("object_id", ExactText, nullable=False),
        sa.Column("about", ExactText, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("processed_at", sa.BigInteger()),
    )
    op.create_index("stripe_events_organization", "stripe_events", ["organization_id"])
    op.create_index("stripe_events_received", "stripe_events", ["received_at"])
    protect(op, "stripe_events")
