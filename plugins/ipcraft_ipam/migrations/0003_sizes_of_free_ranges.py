"""File each free range under the largest network that fits in it; join those that touch."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

from ipcraft.plugin import AddressBytes, ExactText

revision = "ipam_0003"
down_revision = "ipam_0002"

_ranges = sa.table(
    "free_ranges",
    sa.column("organization_id", ExactText),
    sa.column("subnet_id", ExactText),
    sa.column("last", AddressBytes),
    sa.column("first", AddressBytes),
    sa.column("host_bits", sa.SmallInteger()),
)
_at = (
    _ranges.c.organization_id == sa.bindparam("organization"),
    _ranges.c.subnet_id == sa.bindparam("subnet"),
    _ranges.c.last == sa.bindparam("old_last"),
)


def upgrade() -> None:
    """Add the column, fill it, and build its index."""
    op.add_column(
        "free_ranges", sa.Column("host_bits", sa.SmallInteger(), nullable=False, server_default="0")
    )
    _fill(op.get_bind())
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("free_ranges", "host_bits", server_default=None)
    op.create_index(
        "ix_free_ranges_host_bits",
        "free_ranges",
        ["organization_id", "subnet_id", "host_bits", "last"],
    )


def _fill(connection: sa.Connection) -> None:
    key = (_ranges.c.organization_id, _ranges.c.subnet_id)
    rows = connection.execute(
        sa.select(*key, _ranges.c.first, _ranges.c.last).order_by(*key, _ranges.c.last)
    ).all()
    for (organization_id, subnet_id), group in groupby(rows, key=lambda row: (row[0], row[1])):
        where = {"organization": organization_id, "subnet": subnet_id}
        for joined in _joined([(row[2], row[3]) for row in group]):
            _write(connection, where, joined)


def _joined(ranges: list[tuple[bytes, bytes]]) -> Iterator[list[tuple[bytes, bytes]]]:
    """Put those together that touch."""
    together = ranges[:1]
    for each in ranges[1:]:
        if _number(each[0]) == _number(together[-1][1]) + 1:
            together.append(each)
        else:
            yield together
            together = [each]
    yield together


def _write(
    connection: sa.Connection, where: dict[str, Any], joined: list[tuple[bytes, bytes]]
) -> None:
    for _, last in joined[:-1]:
        connection.execute(sa.delete(_ranges).where(*_at), {**where, "old_last": last})
    first, last = joined[0][0], joined[-1][1]
    values = {"first": first, "host_bits": _host_bits(_number(first), _number(last))}
    connection.execute(sa.update(_ranges).where(*_at).values(values), {**where, "old_last": last})


def _host_bits(first: int, last: int) -> int:
    bits = (last - first + 1).bit_length() - 1
    aligned = -(-first >> bits) << bits
    return bits if aligned + (1 << bits) - 1 <= last else bits - 1


def _number(stored: bytes) -> int:
    return int.from_bytes(stored, "big")
