"""Upgrades of an inventory that has something in it."""

from __future__ import annotations

from sqlalchemy import insert, update

from ipcraft.app import Application
from ipcraft.data.statements import Statement, own
from ipcraft.data.transactions import Transaction
from ipcraft.testing.organizations import Organization
from ipcraft_ipam import free_networks
from ipcraft_ipam.networks import parse_address, parse_network, to_bytes
from ipcraft_ipam.tables import free_ranges
from ipcraft_ipam.verification import verify

from .earlier import go_back

OLD = (
    "DROP TABLE vrfs",
    "DROP TABLE vlans",
    "DROP INDEX ix_subnets_vlan_id",
    "DROP INDEX ix_addresses_owner",
    "DROP INDEX ix_addresses_status",
    "DROP INDEX ix_free_ranges_host_bits",
    "ALTER TABLE free_ranges DROP COLUMN host_bits",
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
    go_back(application, "ipam_0002", OLD)
    application.storage.upgrade()
    with application.storage.read(organization.id) as tx:
        assert list(verify(tx)) == []
        assert free_networks.first_free(tx, subnet_id, 25) == parse_network("10.0.0.0/25")


def test_what_is_there_can_be_searched(
    application: Application, organization: Organization
) -> None:
    """Records of an older version are found after the upgrade, and as they change."""
    client = organization.client
    bodies = {"vlans": {"number": 120, "name": "Web"}, "vrfs": {"name": "W", "rd": "65000:120"}}
    registered = [client.post(f"/api/v1/{kind}", json=bodies[kind]).json["id"] for kind in bodies]
    subnet = client.post("/api/v1/subnets", json={"network": "10.0.0.0/24", "name": "Web"}).json
    path = f"/api/v1/subnets/{subnet['id']}/addresses"
    hosts: list[dict[str, str]] = [{"hostname": "Web-1"}, {}, {"status": "dhcp"}, {"owner": "web"}]
    made = client.post(
        path, json=[{"ip": f"10.0.0.{n + 1}", **host} for n, host in enumerate(hosts)]
    ).json
    go_back(application, "ipam_0004")
    application.storage.upgrade()

    def found(query: str, *kinds: str) -> list[str]:
        answer = client.get("/api/v1/search", params={"q": query}).json
        return [each["id"] for kind in kinds or ("subnets", "addresses") for each in answer[kind]]

    assert found("web") == [subnet["id"], made[3]["id"], made[0]["id"]]
    assert found("dhcp") == [made[2]["id"]]
    assert found("120", *bodies) == registered
    client.delete(f"/api/v1/addresses/{made[0]['id']}")
    assert found("web") == [subnet["id"], made[3]["id"]]
