"""The table of events: outbox, activity and event log in one."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, MetaData

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
)
