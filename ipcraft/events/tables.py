"""The tables of events: outbox, activity and event log in one, and how far each sink has come."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Index, Integer, MetaData, text

from ipcraft.data.tables import ExactText, Seconds, tenant_table

metadata = MetaData()

events = tenant_table(
    "events",
    metadata,
    Column("id", ExactText, primary_key=True),
    Column("type", ExactText, nullable=False),
    Column("resource_id", ExactText, nullable=False),
    Column("actor", ExactText),
    Column("label", ExactText, nullable=False),
    Column("details", ExactText, nullable=False),
    Column("data", ExactText, nullable=False),
    Column("request_id", ExactText),
    Column("created_at", Seconds, nullable=False),
    Column("sequence", BigInteger),
    Column("before", ExactText),
    Column("arrival", BigInteger),
)
"""What happened. `arrival` is the number of the writing transaction, which PostgreSQL fills in by
itself; SQLite leaves it null, it has the rows' own numbers."""

# PERF: what a writing transaction waits for is one small entry of the index of those that wait. The
# others are written when the event gets its sequence, by who gives it.
_sequence = events.c.sequence
Index(
    "events_without_sequence",
    events.c.organization_id,
    events.c.arrival,
    events.c.id,
    postgresql_where=_sequence.is_(None),
).ddl_if(dialect="postgresql")
# An index of SQLite's ends with the row's number.
Index(
    "events_without_sequence",
    events.c.organization_id,
    sqlite_where=_sequence.is_(None),
).ddl_if(dialect="sqlite")
for _name, _columns in {
    "events_by_sequence": (_sequence,),
    "events_by_time": (events.c.created_at, events.c.id),
    "events_by_resource": (events.c.resource_id, events.c.created_at, events.c.id),
    "events_by_actor": (events.c.actor, events.c.created_at, events.c.id),
    "events_by_type": (events.c.type, events.c.created_at, events.c.id),
}.items():
    Index(
        _name,
        events.c.organization_id,
        *_columns,
        unique=_name == "events_by_sequence",
        postgresql_where=_sequence.is_not(None),
        sqlite_where=_sequence.is_not(None),
    )

event_streams = tenant_table(
    "event_streams",
    metadata,
    Column("last", BigInteger, nullable=False),
    Column("removed", BigInteger, nullable=False, server_default=text("0")),
)
"""The last sequence of each organization, and how many of its events retention has removed since.

Only who gives sequences and who removes events touch a row, never who writes them.
"""

event_positions = tenant_table(
    "event_positions",
    metadata,
    Column("sink", ExactText, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("newest", BigInteger, nullable=False),
    Column("due_at", BigInteger),
    Column("lease", ExactText),
    Column("failures", Integer, nullable=False),
    Column("reason", ExactText),
    ForeignKeyConstraint(
        ["organization_id"], ["event_streams.organization_id"], ondelete="CASCADE"
    ),
)
"""How far each sink has come with each organization's events.

`position` is the last sequence it has taken, `newest` the last there is. `due_at`, in milliseconds
since the epoch, is when somebody may take the rest to it; while somebody has it, the end of that
lease; and null when there is nothing to take.
"""

_due = event_positions.c.due_at
Index(
    "event_positions_due",
    event_positions.c.sink,
    _due,
    postgresql_where=_due.is_not(None),
    sqlite_where=_due.is_not(None),
)
