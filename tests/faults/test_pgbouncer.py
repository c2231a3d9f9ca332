"""Behind a PgBouncer in transaction mode."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from ipcraft.app import Application
from ipcraft.testing.applications import make_application
from ipcraft.testing.organizations import make_organization
from ipcraft.testing.services import PgBouncer, PostgreSQL
from ipcraft_ipam.verification import verify

from . import mixed_tenants
from .mixed_tenants import Share

pytestmark = pytest.mark.pgbouncer

TRANSACTIONS = int(os.environ.get("IPCRAFT_TEST_CROSSINGS", "4000"))
"""How many transactions look for a crossing; a million take some minutes."""
PROCESSES = 4


@pytest.fixture
def application(postgresql: PostgreSQL) -> Iterator[Application]:
    """Give an application whose connections share two of the server's."""
    url = postgresql.create_database()
    with PgBouncer(url, pool_size=2) as bouncer:
        app = make_application(bouncer.url, sections={"postgresql": {"prepared_statements": False}})
        yield app
        app.storage.close()
    postgresql.drop_database(url)


def test_organizations_share_connections_and_nothing_else(application: Application) -> None:
    """Many write at once on few connections: each sees its own, and each address is taken once."""
    organizations = [make_organization(application) for _ in range(3)]
    subnets = [
        organization.client.post("/api/v1/subnets", json={"network": "10.0.0.0/24"}).json["id"]
        for organization in organizations
    ]

    def take(number: int) -> tuple[int, int]:
        which = number % len(organizations)
        path = f"/api/v1/subnets/{subnets[which]}/first-free"
        return which, organizations[which].client.post(path).status_code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(take, range(60)))
    assert {status for _, status in answers} == {201}
    for organization, subnet_id in zip(organizations, subnets, strict=True):
        shown = organization.client.get("/api/v1/addresses").json
        assert sorted(int(row["ip"].rpartition(".")[2]) for row in shown) == list(range(1, 21))
        assert {row["subnet_id"] for row in shown} == {subnet_id}
        with application.storage.read(organization.id) as tx:
            assert list(verify(tx)) == []


def test_no_transaction_crosses_to_another_organization(application: Application) -> None:
    """Processes mix the transactions of organizations on few connections, without any filter.

    Each sees and changes its own rows alone, and leaves nothing behind for the next one.
    """
    organizations = [make_organization(application) for _ in range(8)]
    for organization in organizations:
        made = organization.client.post("/api/v1/sections", json={"name": organization.id})
        assert made.status_code == 201
    ids = [organization.id for organization in organizations]
    url = application.settings.database_url
    outcome = mixed_tenants.run(
        [Share(url, ids, TRANSACTIONS // PROCESSES, seed) for seed in range(PROCESSES)]
    )
    assert outcome.crossings == []
    assert outcome.done == TRANSACTIONS // PROCESSES * PROCESSES
    assert len(outcome.shared) <= 2
    assert all(met == sorted(ids) for met in outcome.shared.values())
