"""Let events know when they were written, so that those that wait are read in that order."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "core_0005"
down_revision = "core_0004"


def upgrade() -> None:
    """Add the column, and have the index of what waits follow it where nothing else does.

    Events that are there wait since this migration, by their identifiers.
    """
    op.add_column("events", sa.Column("arrival", sa.BigInteger()))
    if op.get_bind().dialect.name == "sqlite":
        return
    op.execute(
        "ALTER TABLE events ALTER COLUMN arrival SET DEFAULT pg_current_xact_id()::text::bigint"
    )
    op.execute(
        "UPDATE events SET arrival = pg_current_xact_id()::text::bigint WHERE sequence IS NULL"
    )
    op.drop_index("events_without_sequence", "events")
    op.create_index(
        "events_without_sequence",
        "events",
        ["organization_id", "arrival", "id"],
        postgresql_where=sa.text("sequence IS NULL"),
    )
