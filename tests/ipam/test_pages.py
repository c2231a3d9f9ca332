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
    asked = noted(monkeypatch)
    organization.client.get(alike.format(**ids))
    expected = len(asked)
    asked.clear()
    organization.client.get(f"{path.format(**ids)}{'&' if '?' in path else '?'}limit=2")
    assert len(asked) == expected


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/addresses",
        "/api/v1/addresses?vrf_id={vrf}",
        "/api/v1/subnets/{root}/addresses",
        "/api/v1/activity",
        "/api/v1/events",
    ],
)
def test_a_page_that_goes_by_keys_is_planned_once(
    organization: Organization,
    ids: dict[str, str],
    path: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Planning takes longer than reading it."""
    asked = noted(monkeypatch)
    organization.client.get(f"{path.format(**ids)}{'&' if '?' in path else '?'}limit=2")
    assert asked[-1].one_plan


def noted(monkeypatch: pytest.MonkeyPatch) -> list[Statement[Any]]:
    """Note what is asked of the database from now on."""
    asked: list[Statement[Any]] = []
    bind = Reader._bind

    def noting(reader: Reader, statement: Statement[Any], parameters: Any) -> Any:
        asked.append(statement)
        return bind(reader, statement, parameters)

    monkeypatch.setattr(Reader, "_bind", noting)
    return asked


def test_a_page_of_an_unknown_subnet_is_404(organization: Organization) -> None:
    """A page of nobody's addresses is no empty page."""
    unknown = "/api/v1/subnets/sub_01h455vb4pex5vsknk084sn02q/addresses?limit=2"
    assert organization.client.get(unknown).status_code == 404
