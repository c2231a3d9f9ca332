"""Upgrades of an inventory that has something in it."""

from __future__ import annotations

from sqlalchemy import create_engine, insert, make_url, text, update

from ipcraft.app import Application
from ipcraft.data.statements import Statement, own
from ipcraft.data.transactions import Transaction
from ipcraft.testing.organizations import Organization
from ipcraft_ipam import free_networks
from ipcraft_ipam.networks import parse_address, parse_network, to_bytes
from ipcraft_ipam.tables import free_ranges
from ipcraft_ipam.verification import verify

OLD = (
    "DROP TABLE vrfs",
    "DROP TABLE vlans",
    "DROP INDEX ix_subnets_vlan_id",
    "DROP INDEX ix_addresses_owner",
    "DROP INDEX ix_addresses_status",
    "DROP INDEX ix_free_ranges_host_bits",
    "ALTER TABLE free_ranges DROP COLUMN host_bits",
    "UPDATE alembic_version_ipam SET version_num = 'ipam_0002'",
)


def test_free_ranges_get_their_sizes(application: Application, organization: Organization) -> None:
    """Ranges that touch, as older versions left them, are joined, and each is filed by its size."""
    subnet_id = organization.client.post("/api/v1/subnets", json={"network": "10.0.0.0/24"}).json[
        "id"
    ]
    cut, piece = parse_address("10.0.0.130"), parse_address("10.0.0.127")
    row = {"subnet_id": subnet_id, "host_bits": 0, "version": 1}
    spans = ((parse_address("10.0.0.1"), piece), (piece + 1, cut - 1))

    def split(tx: Transaction) -> None:
        tx.write(Statement(update(free_ranges).values({"first": to_bytes(cut)})))
        for first, end in spans:
            values = {
                "organization_id": own(),
                **row,
                "first": to_bytes(first),
                "last": to_bytes(end),
            }
            tx.write(Statement(insert(free_ranges).values(values)))

    application.storage.transact(organization.id, split)
    url = make_url(application.settings.database_url)
    driver = "sqlite" if url.drivername == "sqlite" else "postgresql+psycopg"
    engine = create_engine(url.set(drivername=driver))
    with engine.begin() as connection:
        for statement in OLD:
            connection.execute(text(statement))
    engine.dispose()
    application.storage.upgrade()
    with application.storage.read(organization.id) as tx:
        assert list(verify(tx)) == []
        assert free_networks.first_free(tx, subnet_id, 25) == parse_network("10.0.0.0/25")
