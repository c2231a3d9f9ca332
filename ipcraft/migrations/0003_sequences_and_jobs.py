"""Give events their sequence, sinks their place in them, and jobs a table.

Events that are there already get a sequence now: no sink takes them for new ones.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ipcraft.data.migrations import protect
from ipcraft.data.tables import ExactText

revision = "core_0003"
down_revision = "core_0002"


def upgrade() -> None:
    """Create tables and indexes."""
    op.add_column("events", sa.Column("before", ExactText))
    _create_streams()
    _number()
    _index_events()
    _create_positions()
    _create_jobs()


def _create_streams() -> None:
    op.create_table(
        "event_streams",
        sa.Column("organization_id", ExactText, primary_key=True),
        sa.Column("last", sa.BigInteger(), nullable=False),
    )
    protect(op, "event_streams")


def _number() -> None:
    op.execute(
        "UPDATE events SET sequence = numbered.sequence FROM ("
        "SELECT organization_id, id, row_number() OVER (PARTITION BY organization_id ORDER BY id) "
        "AS sequence FROM events) AS numbered "
        "WHERE events.organization_id = numbered.organization_id AND events.id = numbered.id"
    )
    op.execute(
        "INSERT INTO event_streams (organization_id, last) "
        "SELECT organization_id, max(sequence) FROM events GROUP BY organization_id"
    )


def _index_events() -> None:
    without = sa.text("sequence IS NULL")
    op.create_index(
        "events_without_sequence",
        "events",
        ["organization_id"],
        postgresql_where=without,
        sqlite_where=without,
    )
    given = sa.text("sequence IS NOT NULL")
    for name, columns in {
        "sequence": ["sequence"],
        "time": ["created_at", "id"],
        "resource": ["resource_id", "created_at", "id"],
        "actor": ["actor", "created_at", "id"],
        "type": ["type", "created_at", "id"],
    }.items():
        op.create_index(
            f"events_by_{name}",
            "events",
            ["organization_id", *columns],
            unique=name == "sequence",
            postgresql_where=given,
            sqlite_where=given,
        )


def _create_positions() -> None:
    op.create_table(
        "event_positions",
        sa.Column("organization_id", ExactText, primary_key=True),
        sa.Column("sink", ExactText, primary_key=True),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("newest", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger()),
        sa.Column("lease", ExactText),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("reason", ExactText),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["event_streams.organization_id"], ondelete="CASCADE"
        ),
    )
    _index_due("event_positions", "sink", "due_at")
    protect(op, "event_positions")


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", ExactText, primary_key=True),
        sa.Column("organization_id", ExactText),
        sa.Column("name", ExactText, nullable=False),
        sa.Column("payload", ExactText, nullable=False),
        sa.Column("request_id", ExactText),
        sa.Column("state", ExactText, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("reason", ExactText),
        sa.Column("due_at", sa.BigInteger()),
        sa.Column("lease", ExactText),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger()),
    )
    _index_due("jobs", "due_at")
    op.create_index("jobs_by_organization", "jobs", ["organization_id"])
    op.create_index("jobs_by_state", "jobs", ["state", "finished_at"])
    protect(op, "jobs")


def _index_due(table: str, *columns: str) -> None:
    due = sa.text("due_at IS NOT NULL")
    op.create_index(f"{table}_due", table, list(columns), postgresql_where=due, sqlite_where=due)
