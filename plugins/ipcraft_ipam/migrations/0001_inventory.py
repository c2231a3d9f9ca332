"""Create the inventory: sections, subnets, addresses, counters and free ranges."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ipcraft.plugin import AddressBytes, ExactText, Seconds, protect

revision = "ipam_0001"
down_revision = None


def upgrade() -> None:
    """Create the tables and wall them off."""
    op.create_table(
        "sections",
        sa.Column("organization_id", ExactText, primary_key=True),
        sa.Column("id", ExactText, primary_key=True),
        sa.Column("name", ExactText, nullable=False),
        sa.Column("description", ExactText),
        sa.Column("sort_order", sa.BigInteger(), nullable=False),
        sa.Column("created_at", Seconds, nullable=False),
        sa.Column("updated_at", Seconds, nullable=False),
    )
    _create_subnets()
    _create_addresses()
    op.create_table(
        "subnet_usage",
        sa.Column("organization_id", ExactText, primary_key=True),
        sa.Column("vrf_id", ExactText, primary_key=True),
        sa.Column("first", AddressBytes, primary_key=True),
        sa.Column("last", AddressBytes, primary_key=True),
        sa.Column("slot", sa.BigInteger(), primary_key=True),
        sa.Column("used", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "free_ranges",
        sa.Column("organization_id", ExactText, primary_key=True),
        sa.Column("subnet_id", ExactText, primary_key=True),
        sa.Column("last", AddressBytes, primary_key=True),
        sa.Column("first", AddressBytes, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
    )
    for table in ("sections", "subnets", "addresses", "subnet_usage", "free_ranges"):
        protect(op, table)
    _tune_counters()


def _create_subnets() -> None:
    op.create_table(
        "subnets",
        sa.Column("organization_id", ExactText, primary_key=True),
        sa.Column("id", ExactText, primary_key=True),
        sa.Column("vrf_id", ExactText, nullable=False),
        sa.Column("first", AddressBytes, nullable=False),
        sa.Column("last", AddressBytes, nullable=False),
        sa.Column("prefix_length", sa.SmallInteger(), nullable=False),
        sa.Column("parent_id", ExactText, nullable=False),
        sa.Column("section_id", ExactText),
        sa.Column("vlan_id", ExactText),
        sa.Column("name", ExactText),
        sa.Column("description", ExactText),
        sa.Column("gateway", AddressBytes),
        sa.Column("is_pool", sa.Boolean(), nullable=False),
        sa.Column("created_at", Seconds, nullable=False),
        sa.Column("updated_at", Seconds, nullable=False),
        sa.UniqueConstraint(
            "organization_id", "vrf_id", "first", "prefix_length", name="uq_subnets_network"
        ),
    )
    op.create_index(
        "ix_subnets_parent", "subnets", ["parent_id", "organization_id", "vrf_id", "first"]
    )
    _create_partial_index("subnets", "section_id")


def _create_addresses() -> None:
    op.create_table(
        "addresses",
        sa.Column("organization_id", ExactText, primary_key=True),
        sa.Column("id", ExactText, primary_key=True),
        sa.Column("vrf_id", ExactText, nullable=False),
        sa.Column("ip", AddressBytes, nullable=False),
        sa.Column("subnet_id", ExactText, nullable=False),
        sa.Column("hostname", ExactText),
        sa.Column("mac_address", ExactText),
        sa.Column("description", ExactText),
        sa.Column("status", ExactText, nullable=False),
        sa.Column("owner", ExactText),
        sa.Column("created_at", Seconds, nullable=False),
        sa.Column("updated_at", Seconds, nullable=False),
        sa.UniqueConstraint("organization_id", "vrf_id", "ip", name="uq_addresses_ip"),
    )
    _create_partial_index("addresses", "hostname")
    _create_partial_index("addresses", "mac_address")


def _create_partial_index(table: str, column: str) -> None:
    present = sa.text(f"{column} IS NOT NULL")
    op.create_index(
        f"ix_{table}_{column}",
        table,
        ["organization_id", column],
        postgresql_where=present,
        sqlite_where=present,
    )


def _tune_counters() -> None:
    # PERF: rows that change with every address leave room on their page, so that a new version
    # needs no new index entry.
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE subnet_usage SET (fillfactor = 50)")
        op.execute("ALTER TABLE free_ranges SET (fillfactor = 50)")
