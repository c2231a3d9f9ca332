"""The tables of webhooks and of their deliveries."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    text,
)

from ipcraft.plugin import ExactText, Seconds, tenant_table
from ipcraft_accounts import organizations

metadata = MetaData()

webhooks = tenant_table(
    "webhooks",
    metadata,
    Column("id", ExactText, primary_key=True),
    Column("url", ExactText, nullable=False),
    Column("description", ExactText),
    # A JSON list of names; an empty one means every type.
    Column("event_types", ExactText, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("failure_count", Integer, nullable=False),
    # Why we switched it off, until somebody switches it on again.
    Column("disabled_reason", ExactText),
    # Encrypted, see ipcraft_webhooks.sealing.
    Column("secret", LargeBinary, nullable=False),
    Column("previous_secret", LargeBinary),
    Column("previous_until", Seconds),
    Column("created_at", Seconds, nullable=False),
    Column("updated_at", Seconds, nullable=False),
    ForeignKeyConstraint(["organization_id"], [organizations.c.organization_id]),
    # Unique over all organizations: dispatch goes from a delivery's webhook to whose it is.
    Index("webhooks_id", "id", unique=True),
)

_WAITING = text("due_at IS NOT NULL")
_MADE = text("delivered_at IS NOT NULL")

# A row is one attempt: to be made while it has a time that it is due at, made when it has one that
# it was delivered at. A failed one is followed by the row of the next attempt.
deliveries = tenant_table(
    "webhook_deliveries",
    metadata,
    Column("id", ExactText, primary_key=True),
    Column("webhook_id", ExactText, nullable=False),
    Column("event_id", ExactText, nullable=False),
    Column("event_type", ExactText, nullable=False),
    # 0 for the event's own attempts, then one more for each time that somebody asked for it again.
    Column("series", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("body", ExactText, nullable=False),
    # Milliseconds since the epoch. A process that takes the attempt moves it behind the time by
    # which it will have made it: if it dies, the attempt is due again.
    Column("due_at", BigInteger),
    Column("delivered_at", Seconds),
    Column("response_status", Integer),
    Column("duration_ms", Integer),
    Column("response_body", ExactText),
    Column("error", ExactText),
    Column("next_attempt_at", Seconds),
    ForeignKeyConstraint(
        ["organization_id", "webhook_id"], [webhooks.c.organization_id, webhooks.c.id]
    ),
    # PERF: the organization is in none of these, so that a row is found by the primary key and by
    # nothing else. To a planner that saw the table empty, any index with the organization in it
    # seems as good: with 20,000 rows an attempt then cost 10 ms where it costs 20 us.
    Index(
        "webhook_deliveries_attempt",
        "webhook_id",
        "event_id",
        "series",
        "attempt",
        unique=True,
    ),
    Index(
        "webhook_deliveries_due",
        "webhook_id",
        "due_at",
        postgresql_where=_WAITING,
        sqlite_where=_WAITING,
    ),
    Index(
        "webhook_deliveries_log",
        "webhook_id",
        "delivered_at",
        "id",
        postgresql_where=_MADE,
        sqlite_where=_MADE,
    ),
)
