"""The tables of who had which plan when."""

from __future__ import annotations

from sqlalchemy import Column, Index, MetaData, Table

from ipcraft.plugin import ExactText, Seconds, tenant_table

metadata = MetaData()

periods = tenant_table(
    "invoice_periods",
    metadata,
    Column("id", ExactText, primary_key=True),
    Column("plan", ExactText, nullable=False),
    Column("began_at", Seconds, nullable=False),
    Column("ended_at", Seconds),  # null as long as it goes on
    Index("invoice_periods_time", "organization_id", "began_at"),
)

closed = Table(
    "invoice_closed",
    metadata,
    Column("id", ExactText, primary_key=True),
    # Not `organization_id`: whatever has that is deleted with the organization.
    Column("organization", ExactText, nullable=False),
    Column("name", ExactText, nullable=False),
    Column("plan", ExactText, nullable=False),
    Column("began_at", Seconds, nullable=False),
    Column("ended_at", Seconds, nullable=False),
    Index("invoice_closed_time", "ended_at"),
)
"""The periods of organizations that were deleted: invoices are written after that, too."""
