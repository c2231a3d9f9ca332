"""No more is made than the plan includes, by whatever way."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from falcon.testing import Result

from ipcraft.plugin import Application, Transaction
from ipcraft.testing import Organization, make_organization
from ipcraft.testing.serving import Served
from ipcraft_accounts import change_plan
from ipcraft_plans.usage import used

ROUNDS = 3
CLIENTS = 64


def refused(answer: Result) -> None:
    """Expect 402."""
    assert (answer.status_code, answer.json["code"]) == (402, "plan_limit"), answer.text


def usage(organization: Organization) -> Any:
    """Give what is used."""
    return organization.client.get("/api/v1/billing/plan").json["usage"]


def add_subnet(organization: Organization, network: str) -> str:
    """Create a subnet and give its id."""
    answer = organization.client.post("/api/v1/subnets", json={"network": network})
    assert answer.status_code == 201, answer.text
    identifier: str = answer.json["id"]
    return identifier


def test_folders_end_at_the_limit(tiny: Organization) -> None:
    """One too many is refused; one that was deleted makes room."""
    made = [tiny.client.post("/api/v1/sections", json={"name": name}) for name in "ab"]
    assert [answer.status_code for answer in made] == [201, 201]
    refused(tiny.client.post("/api/v1/sections", json={"name": "c"}))
    tiny.client.delete(f"/api/v1/sections/{made[0].json['id']}")
    assert tiny.client.post("/api/v1/sections", json={"name": "c"}).status_code == 201


def test_users_end_at_the_limit(tiny: Organization) -> None:
    """An invitation is refused where nobody could accept it."""
    first = tiny.client.post("/api/v1/invitations", json={"email": "a@example.com"})
    assert first.status_code == 201
    alone = make_organization(tiny.client.app, plan="pro")
    refused(alone.client.post("/api/v1/invitations", json={"email": "b@example.com"}))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/subnets", {"network": "10.9.0.0/16"}),
        ("/api/v1/subnets", [{"network": "10.9.0.0/16"}, {"network": "10.8.0.0/16"}]),
        ("/api/v1/subnets/{id}/split", {"parts": 2}),
        ("/api/v1/subnets/{id}/first-free-subnet", {"prefix_length": 26}),
    ],
)
def test_subnets_end_at_the_limit(tiny: Organization, path: str, body: object) -> None:
    """However they are made, and nothing is left of what was refused."""
    subnet_id = add_subnet(tiny, "10.0.0.0/24")
    for number in (1, 2, 3):
        add_subnet(tiny, f"10.0.{number}.0/24")
    refused(tiny.client.post(path.format(id=subnet_id), json=body))
    assert usage(tiny)["subnets"] == 4
    assert len(tiny.client.get("/api/v1/subnets").json) == 4


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("addresses", {"ip": "10.0.0.9"}),
        ("addresses", [{"ip": "10.0.0.9"}, {"ip": "10.0.0.10"}]),
        ("first-free", {}),
        ("first-free", {"count": 2}),
    ],
)
def test_addresses_end_at_the_limit(tiny: Organization, path: str, body: object) -> None:
    """However they are made, and nothing is left of what was refused."""
    subnet_id = add_subnet(tiny, "10.0.0.0/24")
    three = tiny.client.post(f"/api/v1/subnets/{subnet_id}/first-free", json={"count": 3})
    assert three.status_code == 201
    refused(tiny.client.post(f"/api/v1/subnets/{subnet_id}/{path}", json=body))
    assert usage(tiny)["addresses"] == 3
    tiny.client.delete(f"/api/v1/addresses/{three.json[0]['id']}")
    assert tiny.client.post(f"/api/v1/subnets/{subnet_id}/first-free").status_code == 201


def test_a_list_up_to_the_limit_is_taken(tiny: Organization) -> None:
    """A list is counted once, item by item."""
    subnet_id = add_subnet(tiny, "10.0.0.0/24")
    items = [{"ip": f"10.0.0.{number}"} for number in range(1, 5)]
    path = f"/api/v1/subnets/{subnet_id}/addresses"
    refused(tiny.client.post(path, json=items))
    assert tiny.client.post(path, json=items[:3]).status_code == 201


def test_after_a_downgrade_everything_stays_readable(
    application: Application, organization: Organization
) -> None:
    """What is there stays and can be deleted; no more can be made, from the next request on."""
    subnet_id = add_subnet(organization, "10.0.0.0/24")
    first_free = f"/api/v1/subnets/{subnet_id}/first-free"
    assert organization.client.post(first_free, json={"count": 5}).status_code == 201
    application.storage.transact(organization.id, lambda tx: change_plan(tx, "tiny"))
    refused(organization.client.post(first_free))
    addresses = organization.client.get(f"/api/v1/subnets/{subnet_id}/addresses").json
    assert len(addresses) == 5
    application.storage.transact(organization.id, lambda tx: change_plan(tx, "enterprise"))
    assert organization.client.post(first_free).status_code == 201


def test_on_free_keys_only_read(application: Application) -> None:
    """A write with a key is 402, one of a browser is not; reads are free."""
    free = make_organization(application, plan="free")
    assert free.client.get("/api/v1/sections").status_code == 200
    refused(free.client.post("/api/v1/sections", json={"name": "x"}))
    browser = free.browser(application)
    assert browser.post("/api/v1/sections", json={"name": "x"}).status_code == 201


def test_the_plan_shows_every_row(application: Application, tiny: Organization) -> None:
    """Usage and limits by kind; null is no limit."""
    answer = tiny.client.get("/api/v1/billing/plan").json
    assert answer == {
        "plan": "tiny",
        "usage": {"users": 1, "sections": 0, "subnets": 0, "addresses": 0},
        "limits": {
            "users": 2,
            "sections": 2,
            "subnets": 4,
            "addresses": 3,
            "api_access": "read-write",
            "rate_limit": None,
            "activity_days": 7,
        },
    }
    unlimited = make_organization(application).client.get("/api/v1/billing/plan").json
    assert unlimited["limits"]["addresses"] is None


@pytest.mark.parametrize("plan", ["enterprise", "tiny"])
def test_who_has_no_limit_pays_nothing_for_it(
    application: Application, monkeypatch: pytest.MonkeyPatch, plan: str
) -> None:
    """Without a limit nothing is counted and nobody waits."""
    organization = make_organization(application, plan=plan)
    asked: list[str] = []

    def counted(tx: Transaction, resource: str) -> int:
        asked.append(resource)
        return used(tx, resource)

    monkeypatch.setattr("ipcraft_plans.quotas.used", counted)
    assert organization.client.post("/api/v1/sections", json={"name": "x"}).status_code == 201
    assert asked == ([] if plan == "enterprise" else ["sections"])


def test_of_many_at_once_exactly_one_gets_the_last_place(database_url: str, tmp_path: Path) -> None:
    """64 clients create at one below the limit: one succeeds, the others get 402."""
    pro = {"sections": 2, "rate_limit": "unlimited"}
    environ = {"IPCRAFT_PLANS_CATALOGUE": json.dumps({"pro": pro})}
    with (
        Served(database_url, tmp_path, workers=2, environ=environ) as served,
        ThreadPoolExecutor(CLIENTS) as pool,
    ):
        for _ in range(ROUNDS):
            org = served.organization(plan="pro")
            assert org.post("/api/v1/sections", json={"name": "first"}).status_code == 201

            def create(number: int, key: str = org.key) -> int:
                return requests.post(
                    f"{served.url}/api/v1/sections",
                    json={"name": f"{number}"},
                    headers={"Authorization": f"Bearer {key}"},
                    timeout=60,
                ).status_code

            statuses = sorted(pool.map(create, range(CLIENTS)))
            assert statuses == [201] + [402] * (CLIENTS - 1)
