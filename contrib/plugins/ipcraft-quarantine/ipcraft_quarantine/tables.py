"""The table of quarantined addresses."""

from __future__ import annotations

from sqlalchemy import Column, Index, MetaData, UniqueConstraint

from ipcraft.plugin import AddressBytes, ExactText, Seconds, tenant_table

metadata = MetaData()

quarantine = tenant_table(
    "quarantine",
    metadata,
    Column("id", ExactText, primary_key=True),
    # Empty for the global VRF: a unique constraint takes no two NULLs for equal.
    Column("vrf_id", ExactText, nullable=False),
    Column("ip", AddressBytes, nullable=False),
    Column("released_at", Seconds, nullable=False),
    Column("ends_at", Seconds, nullable=False),
    UniqueConstraint("organization_id", "vrf_id", "ip", name="uq_quarantine_ip"),
    Index("ix_quarantine_ends_at", "organization_id", "ends_at"),
)
