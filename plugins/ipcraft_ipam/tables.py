"""The tables of the inventory.

No foreign keys: each would cost an address's insert a locked read, and the inventory lock
(`ipcraft_ipam.locking`) already keeps homes and parents in place. `ipcraft verify` checks them.

An empty string stands for "none" where a column takes part in a unique constraint or an index
condition: the global VRF, the parent of a root.

What a row is found by (`ipcraft_ipam.searchable`) is written with it; the indexes on that are
each database's own and stand in the migration.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    CompoundSelect,
    Index,
    MetaData,
    SmallInteger,
    UniqueConstraint,
    literal,
    select,
    union_all,
)

from ipcraft.plugin import AddressBytes, ExactText, Seconds, own, tenant_table

metadata = MetaData()

GLOBAL_VRF = ""
NO_PARENT = ""
USUAL_STATUS = "active"
"""The status most addresses have, the default; an index has those with another one."""

sections = tenant_table(
    "sections",
    metadata,
    Column("id", ExactText, primary_key=True),
    Column("name", ExactText, nullable=False),
    Column("description", ExactText),
    Column("sort_order", BigInteger, nullable=False),
    Column("created_at", Seconds, nullable=False),
    Column("updated_at", Seconds, nullable=False),
    Column("search_text", ExactText),
)

vrfs = tenant_table(
    "vrfs",
    metadata,
    Column("id", ExactText, primary_key=True),
    Column("name", ExactText, nullable=False),
    Column("rd", ExactText),
    Column("description", ExactText),
    Column("created_at", Seconds, nullable=False),
    Column("updated_at", Seconds, nullable=False),
    Column("search_text", ExactText),
    UniqueConstraint("organization_id", "name", name="uq_vrfs_name"),
    UniqueConstraint("organization_id", "rd", name="uq_vrfs_rd"),
)

vlans = tenant_table(
    "vlans",
    metadata,
    Column("id", ExactText, primary_key=True),
    Column("number", SmallInteger, nullable=False),
    Column("name", ExactText, nullable=False),
    Column("description", ExactText),
    Column("created_at", Seconds, nullable=False),
    Column("updated_at", Seconds, nullable=False),
    Column("search_text", ExactText),
    UniqueConstraint("organization_id", "number", "name", name="uq_vlans_number"),
)


def every_vrf() -> CompoundSelect[str]:
    """Select the ids of the organization's VRFs, the global one among them."""
    own_vrfs = select(vrfs.c.id).where(vrfs.c.organization_id == own())
    return union_all(select(literal(GLOBAL_VRF, ExactText).label("id")), own_vrfs)


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
    Column("search_text", ExactText),
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

Index(
    "ix_subnets_vlan_id",
    subnets.c.organization_id,
    subnets.c.vlan_id,
    postgresql_where=subnets.c.vlan_id.is_not(None),
    sqlite_where=subnets.c.vlan_id.is_not(None),
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
    Column("search_text", ExactText),
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
Index(
    "ix_addresses_owner",
    addresses.c.organization_id,
    addresses.c.owner,
    addresses.c.vrf_id,
    addresses.c.ip,
    postgresql_where=addresses.c.owner.is_not(None),
    sqlite_where=addresses.c.owner.is_not(None),
)
Index(
    "ix_addresses_status",
    addresses.c.organization_id,
    addresses.c.status,
    addresses.c.vrf_id,
    addresses.c.ip,
    postgresql_where=addresses.c.status != USUAL_STATUS,
    sqlite_where=addresses.c.status != USUAL_STATUS,
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
    Column("host_bits", SmallInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Index("ix_free_ranges_host_bits", "organization_id", "subnet_id", "host_bits", "last"),
)
"""Where a subnet's free addresses are; every free one is in a range (`ipcraft_ipam.free_space`)."""
