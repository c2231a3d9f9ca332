"""The tables of organizations, their users, the users' sessions, and invitations."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    UniqueConstraint,
)

from ipcraft.plugin import ExactText, Seconds, tenant_table

metadata = MetaData()

organizations = tenant_table(
    "organizations",
    metadata,
    Column("name", ExactText, nullable=False),
    Column("plan", ExactText, nullable=False),
    Column("created_at", Seconds, nullable=False),
)

users = tenant_table(
    "users",
    metadata,
    Column("id", ExactText, primary_key=True),
    Column("email", ExactText, nullable=False),
    Column("name", ExactText, nullable=False),
    Column("role", ExactText, nullable=False),
    Column("created_at", Seconds, nullable=False),
    ForeignKeyConstraint(["organization_id"], ["organizations.organization_id"]),
    # Unique over all organizations: an address signs in to one.
    Index("users_email", "email", unique=True),
)

sessions = tenant_table(
    "sessions",
    metadata,
    Column("id", ExactText, primary_key=True),
    Column("user_id", ExactText, nullable=False),
    Column("token_hash", LargeBinary, nullable=False),
    Column("method", ExactText, nullable=False),
    Column("user_agent", ExactText),
    Column("created_at", Seconds, nullable=False),
    Column("last_used_at", Seconds, nullable=False),
    ForeignKeyConstraint(["organization_id", "user_id"], ["users.organization_id", "users.id"]),
    # Unique over all organizations: the hash alone tells whose session it is.
    Index("sessions_token_hash", "token_hash", unique=True),
    Index("sessions_user", "organization_id", "user_id"),
)

invitations = tenant_table(
    "invitations",
    metadata,
    Column("id", ExactText, primary_key=True),
    Column("email", ExactText, nullable=False),
    Column("role", ExactText, nullable=False),
    Column("created_at", Seconds, nullable=False),
    Column("expires_at", Seconds, nullable=False),
    ForeignKeyConstraint(["organization_id"], ["organizations.organization_id"]),
    UniqueConstraint("organization_id", "email"),
    Index("invitations_email", "email"),
)
