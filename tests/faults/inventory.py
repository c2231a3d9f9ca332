"""An inventory to write to while things break, and what must be true of it afterwards."""

from __future__ import annotations

from ipcraft.testing.serving import Org, Served
from ipcraft_ipam.verification import verify


def add_subnet(org: Org) -> str:
    """Create a large subnet and give its id."""
    answer = org.post("/api/v1/subnets", json={"network": "10.0.0.0/8"})
    assert answer.status_code == 201, answer.text
    subnet_id: str = answer.json()["id"]
    return subnet_id


def assigned(org: Org, subnet_id: str) -> list[str]:
    """Give the addresses of a subnet."""
    return [row["ip"] for row in org.get(f"/api/v1/subnets/{subnet_id}/addresses").json()]


def check(server: Served, org: Org, subnet_id: str, *, acknowledged: list[str]) -> None:
    """Check that nothing acknowledged was lost or done twice, and that nothing drifted."""
    stored = assigned(org, subnet_id)
    assert len(set(acknowledged)) == len(acknowledged)
    assert set(acknowledged) <= set(stored)
    assert len(set(stored)) == len(stored)
    with server.application.storage.read(org.id) as tx:
        assert list(verify(tx)) == []
