"""Create VRFs and VLANs, and what finds the subnets of a VLAN and the addresses of an owner."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ipcraft.plugin import ExactText, Seconds, protect

revision = "ipam_0004"
down_revision = "ipam_0003"


def upgrade() -> None:
    """Create the tables and wall them off; build the indexes of the filters."""
    op.create_table(
        "vrfs",
        sa.Column("organization_id", ExactText, primary_key=True),
        sa.Column("id", ExactText, primary_key=True),
        sa.Column("name", ExactText, nullable=False),
        sa.Column("rd", ExactText),
        sa.Column("description", ExactText),
        sa.Column("created_at", Seconds, nullable=False),
        sa.Column("updated_at", Seconds, nullable=False),
        sa.UniqueConstraint("organization_id", "name", name="uq_vrfs_name"),
        sa.UniqueConstraint("organization_id", "rd", name="uq_vrfs_rd"),
    )
    op.create_table(
        "vlans",
        sa.Column("organization_id", ExactText, primary_key=True),
        sa.Column("id", ExactText, primary_key=True),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("name", ExactText, nullable=False),
        sa.Column("description", ExactText),
        sa.Column("created_at", Seconds, nullable=False),
        sa.Column("updated_at", Seconds, nullable=False),
        sa.UniqueConstraint("organization_id", "number", "name", name="uq_vlans_number"),
    )
    for table in ("vrfs", "vlans"):
        protect(op, table)
    _create_partial_index("subnets", "vlan_id", where="vlan_id IS NOT NULL")
    _create_partial_index("addresses", "owner", "vrf_id", "ip", where="owner IS NOT NULL")
    _create_partial_index("addresses", "status", "vrf_id", "ip", where="status != 'active'")


def _create_partial_index(table: str, *columns: str, where: str) -> None:
    condition = sa.text(where)
    op.create_index(
        f"ix_{table}_{columns[0]}",
        table,
        ["organization_id", *columns],
        postgresql_where=condition,
        sqlite_where=condition,
    )
