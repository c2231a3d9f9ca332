"""Create the tables of who had which plan when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ipcraft.plugin import SERVING_ROLE, ExactText, protect

revision = "invoice_0001"
down_revision = None


def upgrade() -> None:
    """Create the tables; what was closed can be added to by a tenant, and not be read."""
    op.create_table(
        "invoice_periods",
        sa.Column("organization_id", ExactText, primary_key=True),
        sa.Column("id", ExactText, primary_key=True),
        sa.Column("plan", ExactText, nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
    )
    op.create_index("invoice_periods_time", "invoice_periods", ["organization_id", "began_at"])
    protect(op, "invoice_periods")
    op.create_table(
        "invoice_closed",
        sa.Column("id", ExactText, primary_key=True),
        sa.Column("organization", ExactText, nullable=False),
        sa.Column("name", ExactText, nullable=False),
        sa.Column("plan", ExactText, nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("invoice_closed_time", "invoice_closed", ["ended_at"])
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        op.execute(f'GRANT INSERT ON invoice_closed TO "{connection.info[SERVING_ROLE]}"')
