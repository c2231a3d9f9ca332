"""Pages of lists: the right rows, the right total, and one statement for both."""

from __future__ import annotations

from typing import Any

import pytest

from ipcraft.data.statements import Statement
from ipcraft.data.transactions import Reader
from ipcraft.testing.organizations import Organization

LISTS = (
    "/api/v1/sections",
    "/api/v1/vrfs",
    "/api/v1/vrfs?name=b",
    "/api/v1/vrfs?rd=65000:2",
    "/api/v1/vlans",
    "/api/v1/vlans?number=120",
    "/api/v1/vlans?name=c",
    "/api/v1/subnets",
    "/api/v1/subnets?network=10.0.0.0/16",
    "/api/v1/subnets?vlan_id={vlan}",
    "/api/v1/subnets?vrf_id={vrf}",
    "/api/v1/subnets?parent_id={root}",
    "/api/v1/subnets?parent_id=",
    "/api/v1/subnets?section_id={section}",
    "/api/v1/subnets?vrf_id=",
    "/api/v1/addresses",
    "/api/v1/addresses?vrf_id=",
    "/api/v1/addresses?vrf_id={vrf}",
    "/api/v1/addresses?ip=10.0.0.1",
    "/api/v1/addresses?ip=10.0.0.1&vrf_id={vrf}",
    "/api/v1/addresses?hostname=web",
    "/api/v1/addresses?owner=ops",
    "/api/v1/addresses?owner=ops&vrf_id=",
    "/api/v1/addresses?mac_address=001a.2b3c.4d5e",
    "/api/v1/addresses?status=reserved",
    "/api/v1/addresses?status=reserved&owner=ops",
    "/api/v1/addresses?status=active",
    "/api/v1/addresses?status=active&vrf_id=",
    "/api/v1/addresses?status=active&vrf_id={vrf}",
    "/api/v1/addresses?status=active&owner=ops",
    "/api/v1/subnets/{root}/addresses",
    "/api/v1/subnets/{root}/addresses?status=reserved",
    "/api/v1/subnets/{root}/addresses?status=active",
    "/api/v1/subnets/{root}/addresses?status=active&vrf_id={vrf}",
    "/api/v1/subnets/{root}/addresses?vrf_id=",
    "/api/v1/subnets/{root}/addresses?vrf_id={vrf}",
    "/api/v1/subnets/{leaf}/addresses",
    "/api/v1/subnets/{empty}/addresses",
)


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


@pytest.mark.parametrize("path", LISTS)
def test_a_page_is_a_part_of_the_whole(
    organization: Organization, ids: dict[str, str], path: str
) -> None:
    """Whatever limit and offset: the rows are those of the whole list, the total is its length."""
    path = path.format(**ids)
    whole = organization.client.get(path).json
    for limit in (1, 2, len(whole) or 1, len(whole) + 1):
        for offset in (0, 1, len(whole), len(whole) + 5):
            sign = "&" if "?" in path else "?"
            answer = organization.client.get(f"{path}{sign}limit={limit}&offset={offset}")
            assert answer.json == whole[offset : offset + limit]
            assert answer.headers["X-Total-Count"] == str(len(whole))


def test_a_page_of_activity_is_a_part_of_the_whole(
    organization: Organization, ids: dict[str, str]
) -> None:
    """The same for what happened, the newest first."""
    whole = organization.client.get("/api/v1/activity").json
    for limit, offset in ((3, 0), (3, 4), (200, 0), (5, len(whole) - 2), (5, len(whole) + 1)):
        answer = organization.client.get(f"/api/v1/activity?limit={limit}&offset={offset}")
        assert answer.json == whole[offset : offset + limit]
        assert answer.headers["X-Total-Count"] == str(len(whole))


@pytest.mark.parametrize(
    ("path", "alike"),
    [
        *((path, "/api/v1/subnets/{root}/usage") for path in LISTS),
        ("/api/v1/activity", "/api/v1/activity"),
    ],
)
def test_a_page_and_its_total_are_one_statement(
    organization: Organization,
    ids: dict[str, str],
    path: str,
    alike: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A page asks no more often than a request for one row, or than the list without a total."""
    asked: list[Statement[Any]] = []
    bind = Reader._bind

    def counting(reader: Reader, statement: Statement[Any], parameters: Any) -> Any:
        asked.append(statement)
        return bind(reader, statement, parameters)

    monkeypatch.setattr(Reader, "_bind", counting)
    organization.client.get(alike.format(**ids))
    expected = len(asked)
    asked.clear()
    organization.client.get(f"{path.format(**ids)}{'&' if '?' in path else '?'}limit=2")
    assert len(asked) == expected


def test_a_page_of_an_unknown_subnet_is_404(organization: Organization) -> None:
    """A page of nobody's addresses is no empty page."""
    unknown = "/api/v1/subnets/sub_01h455vb4pex5vsknk084sn02q/addresses?limit=2"
    assert organization.client.get(unknown).status_code == 404
