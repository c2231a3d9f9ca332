"""The tables of customers, of what Stripe told, and of what is to be ended there."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
)

from ipcraft.plugin import ExactText, Seconds, tenant_table
from ipcraft_accounts import organizations

metadata = MetaData()

customers = tenant_table(
    "stripe_customers",
    metadata,
    # Null when it was deleted at Stripe, until somebody buys again.
    Column("customer_id", ExactText),
    # Part of the keys of idempotency: another number is another attempt at the same thing.
    Column("attempt", Integer, nullable=False),
    # The checkout that was begun last.
    Column("session_id", ExactText),
    Column("session_plan", ExactText),
    # How often Stripe was looked at, and which of these looks is the newest that counts.
    Column("looks", BigInteger, nullable=False),
    Column("seen", BigInteger, nullable=False),
    # What is paid for, as far as is known; null when nothing is.
    Column("plan", ExactText),
    Column("subscriptions", Integer, nullable=False),
    # Until when the plan goes on although nobody pays.
    Column("grace_until", Seconds),
    Column("checked_at", Seconds, nullable=False),
    ForeignKeyConstraint(["organization_id"], [organizations.c.organization_id]),
    Index("stripe_customers_customer", "customer_id", unique=True),
    Index("stripe_customers_checked", "checked_at"),
)

events = Table(
    "stripe_events",
    metadata,
    # Stripe's own: the same event has the same id whenever it comes.
    Column("id", ExactText, primary_key=True),
    # Null until it is found out.
    Column("organization_id", ExactText),
    Column("type", ExactText, nullable=False),
    Column("object_id", ExactText, nullable=False),
    # What the customer is found by: one's id, or a charge's.
    Column("about", ExactText, nullable=False),
    Column("created_at", Seconds, nullable=False),
    Column("received_at", Seconds, nullable=False),
    Column("processed_at", Seconds),
    Index("stripe_events_organization", "organization_id"),
    Index("stripe_events_received", "received_at"),
)
"""What Stripe told and when it was acted upon. What an event says is not kept: it may be old."""

endings = Table(
    "stripe_endings",
    metadata,
    Column("customer_id", ExactText, primary_key=True),
    Column("noted_at", Seconds, nullable=False),
)
"""Customers whose organization is gone: nobody's rows, so that they outlast it."""
