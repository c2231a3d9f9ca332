"""The tables of organizations and of their users."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKeyConstraint, Index, MetaData

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
