"""Keep a text of each VRF, VLAN and folder to find it by.

They are few, so that no index is needed: a search compares those of the organization.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ipcraft.plugin import ExactText
from ipcraft_ipam.searchable import register_text

revision = "ipam_0006"
down_revision = "ipam_0005"

_SEARCHED = {
    "sections": ("name", "description"),
    "vrfs": ("name", "rd", "description"),
    "vlans": ("number", "name", "description"),
}


def upgrade() -> None:
    """Add the texts, and write those of the rows there are."""
    connection = op.get_bind()
    for name, searched in _SEARCHED.items():
        op.add_column(name, sa.Column("search_text", ExactText))
        table = sa.table(
            name,
            *(sa.column(each, ExactText) for each in ("organization_id", "id", "search_text")),
            *(sa.column(each) for each in searched),
        )
        texts = [
            {
                "organization": row.organization_id,
                "row": row.id,
                "text": register_text({each: getattr(row, each) for each in searched}),
            }
            for row in connection.execute(sa.select(table))
        ]
        at = (
            table.c.organization_id == sa.bindparam("organization"),
            table.c.id == sa.bindparam("row"),
        )
        if texts:
            write = sa.update(table).where(*at).values(search_text=sa.bindparam("text"))
            connection.execute(write, texts)
