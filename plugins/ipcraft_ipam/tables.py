"""The tables of the inventory.

No foreign keys: each would cost an address's insert a locked read, and the inventory lock
(`ipcraft_ipam.locking`) already keeps homes and parents in place. `ipcraft verify` checks them.

An empty string stands for "none" where a column takes part in a unique constraint or an index
condition: the global VRF, the parent of a root.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, MetaData, SmallInteger, UniqueConstraint

from ipcraft.plugin import AddressBytes, ExactText, Seconds, tenant_table

metadata = MetaData()

GLOBAL_VRF = ""
NO_PARENT = ""

sections = tenant_table(
    "sections",
    metadata,
    Column("id", ExactText, primary_key=True),
    Column("name", ExactText, nullable=False),
    Column("description", ExactText),
    Column("sort_order", BigInteger, nullable=False),
    Column("created_at", Seconds, nullable=False),
    Column("updated_at", Seconds, nullable=False),
)

subnets = tenant_table(
    "subnets",
    metadata,
    Column("id", ExactText, primary_key=True),
    Column("vrf_id", ExactText, nullable=False),
    Column("first", AddressBytes, nullable=False),
    Column("last", AddressBytes, nullable=False),
    Column("prefix_length", SmallInteger, nullable=False),
    Column("parent_id", ExactText, nullable=False),
    Column("section_id", ExactText),
    Column("vlan_id", ExactText),
    Column("name", ExactText),
    Column("description", ExactText),
    Column("gateway", AddressBytes),
    Column("is_pool", Boolean, nullable=False),
    Column("created_at", Seconds, nullable=False),
    Column("updated_at", Seconds, nullable=False),
    UniqueConstraint(
        "organization_id", "vrf_id", "first", "prefix_length", name="uq_subnets_network"
    ),
    Index("ix_subnets_parent", "parent_id", "organization_id", "first", "vrf_id"),
)
Index(
    "ix_subnets_section_id",
    subnets.c.organization_id,
    subnets.c.section_id,
    postgresql_where=subnets.c.section_id.is_not(None),
    sqlite_where=subnets.c.section_id.is_not(None),
)

addresses = tenant_table(
    "addresses",
    metadata,
    Column("id", ExactText, primary_key=True),
    Column("vrf_id", ExactText, nullable=False),
    Column("ip", AddressBytes, nullable=False),
    Column("subnet_id", ExactText, nullable=False),
    Column("hostname", ExactText),
    Column("mac_address", ExactText),
    Column("description", ExactText),
    Column("status", ExactText, nullable=False),
    Column("owner", ExactText),
    Column("created_at", Seconds, nullable=False),
    Column("updated_at", Seconds, nullable=False),
    UniqueConstraint("organization_id", "vrf_id", "ip", name="uq_addresses_ip"),
)
Index(
    "ix_addresses_hostname",
    addresses.c.organization_id,
    addresses.c.hostname,
    postgresql_where=addresses.c.hostname.is_not(None),
    sqlite_where=addresses.c.hostname.is_not(None),
)
Index(
    "ix_addresses_mac_address",
    addresses.c.organization_id,
    addresses.c.mac_address,
    postgresql_where=addresses.c.mac_address.is_not(None),
    sqlite_where=addresses.c.mac_address.is_not(None),
)

subnet_usage = tenant_table(
    "subnet_usage",
    metadata,
    Column("vrf_id", ExactText, primary_key=True),
    Column("first", AddressBytes, primary_key=True),
    Column("last", AddressBytes, primary_key=True),
    Column("slot", BigInteger, primary_key=True),
    Column("used", BigInteger, nullable=False),
)
"""How many addresses have the subnet as their home: the sum over its slots."""

free_ranges = tenant_table(
    "free_ranges",
    metadata,
    Column("subnet_id", ExactText, primary_key=True),
    Column("last", AddressBytes, primary_key=True),
    Column("first", AddressBytes, nullable=False),
    Column("version", BigInteger, nullable=False),
)
"""Where a subnet's free addresses are; every free one is in a range (`ipcraft_ipam.free_space`)."""
