"""Note how many events of an organization were removed, so that nobody has to count the others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "core_0006"
down_revision = "core_0005"


def upgrade() -> None:
    """Add the number; of the sequences given so far, those without an event are of removed ones."""
    op.add_column(
        "event_streams",
        sa.Column("removed", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
    )
    op.execute(
        "UPDATE event_streams SET removed = last - (SELECT count(*) FROM events "
        "WHERE events.organization_id = event_streams.organization_id AND sequence IS NOT NULL)"
    )
