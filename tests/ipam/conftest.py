"""What tests of lists share."""

from __future__ import annotations

from typing import Any

import pytest

from ipcraft.testing.organizations import Organization


@pytest.fixture
def ids(organization: Organization) -> dict[str, str]:
    """Make folders, VRFs, VLANs, and a root with five children, most of it once more in a VRF.

    Four of the children have three addresses each.
    """

    def make(path: str, body: object) -> Any:
        answer = organization.client.post(path, json=body)
        assert answer.status_code == 201
        return answer.json

    sections = [make("/api/v1/sections", {"name": name})["id"] for name in "abc"]
    vrfs = [make("/api/v1/vrfs", {"name": n, "rd": f"65000:{ord(n) - 96}"})["id"] for n in "abc"]
    vlans = [make("/api/v1/vlans", {"number": 120, "name": name})["id"] for name in "abc"]
    root = make("/api/v1/subnets", {"network": "10.0.0.0/16"})["id"]
    make("/api/v1/subnets", {"network": "fd00::/64"})
    make("/api/v1/subnets", {"network": "10.0.0.0/16", "vrf_id": vrfs[1]})
    fields = {"section_id": sections[0], "vlan_id": vlans[1]}
    networks = [f"10.0.{n}.0/24" for n in range(5)]
    children, others = (
        make("/api/v1/subnets", [{"network": n, "vrf_id": vrf, **fields} for n in networks])
        for vrf in (None, vrfs[1])
    )
    for number, child in [*enumerate(children[:4]), *enumerate(others[:4])]:
        make(
            f"/api/v1/subnets/{child['id']}/addresses",
            [
                {"ip": f"10.0.{number}.{last}", "status": status, **extra}
                for last, status, extra in (
                    (1, "active", {"hostname": "web", "owner": "ops"}),
                    (2, "reserved", {"owner": "ops"}),
                    (3, "active", {"mac_address": "00:1a:2b:3c:4d:5e"}),
                )
            ],
        )
    return {
        "section": sections[0],
        "vrf": vrfs[1],
        "vlan": vlans[1],
        "root": root,
        "leaf": children[0]["id"],
        "empty": children[4]["id"],
    }
