"""Keep the children of each parent by address, so that a page of them is read alone."""

from __future__ import annotations

from alembic import op

revision = "ipam_0002"
down_revision = "ipam_0001"


def upgrade() -> None:
    """Build the index of parents anew, the address before the VRF."""
    op.drop_index("ix_subnets_parent", table_name="subnets")
    op.create_index(
        "ix_subnets_parent", "subnets", ["parent_id", "organization_id", "first", "vrf_id"]
    )
