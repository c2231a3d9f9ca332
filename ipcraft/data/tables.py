"""Column types and the shape every tenant's table shares.

Values are stored so that both databases hold, compare and return the same Python values
without conversion: identifiers and text byte by byte, times as seconds since the epoch,
networks and addresses as bytes in btree order.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import TEXT as POSTGRESQL_TEXT
from sqlalchemy.schema import SchemaItem

ExactText = Text().with_variant(POSTGRESQL_TEXT(collation="C"), "postgresql")
"""Text that sorts and compares byte by byte, on every database alike."""

Seconds = BigInteger()
"""A time: whole seconds since the epoch, UTC."""

AddressBytes = LargeBinary()
"""An address: one family byte (4 or 6) and its 4 or 16 bytes, so byte order is address order."""


def tenant_table(name: str, metadata: MetaData, *items: SchemaItem, **options: Any) -> Table:
    """Define a table whose rows belong to organizations.

    Adds ``organization_id`` as the first column and as the first part of the primary key.
    Its migration protects it with `ipcraft.data.migrations.protect`.
    """
    owner = Column("organization_id", ExactText, primary_key=True)
    return Table(name, metadata, owner, *items, **options)
