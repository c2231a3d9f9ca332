"""The table of who is who at the issuer."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKeyConstraint, MetaData, UniqueConstraint

from ipcraft.plugin import ExactText, Seconds, tenant_table
from ipcraft_accounts import users

metadata = MetaData()

subjects = tenant_table(
    "oidc_subjects",
    metadata,
    Column("issuer", ExactText, primary_key=True),
    Column("subject", ExactText, primary_key=True),
    Column("user_id", ExactText, nullable=False),
    Column("created_at", Seconds, nullable=False),
    ForeignKeyConstraint(["organization_id", "user_id"], [users.c.organization_id, users.c.id]),
    UniqueConstraint("organization_id", "issuer", "user_id", name="uq_oidc_subjects_user"),
)
