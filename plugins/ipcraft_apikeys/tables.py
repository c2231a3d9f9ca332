"""The table of API keys."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKeyConstraint, Index, LargeBinary, MetaData

from ipcraft.plugin import ExactText, Seconds, tenant_table
from ipcraft_accounts import organizations, users

metadata = MetaData()

api_keys = tenant_table(
    "api_keys",
    metadata,
    Column("id", ExactText, primary_key=True),
    Column("name", ExactText, nullable=False),
    Column("key_prefix", ExactText, nullable=False),
    Column("key_hash", LargeBinary, nullable=False),
    Column("role", ExactText, nullable=False),
    Column("user_id", ExactText),
    Column("created_at", Seconds, nullable=False),
    Column("expires_at", Seconds),
    Column("last_used_at", Seconds),
    ForeignKeyConstraint(["organization_id"], [organizations.c.organization_id]),
    ForeignKeyConstraint(["organization_id", "user_id"], [users.c.organization_id, users.c.id]),
    # Unique over all organizations: the hash alone tells whose key it is.
    Index("api_keys_key_hash", "key_hash", unique=True),
)
