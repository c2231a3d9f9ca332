"""No more is made than the plan includes, by whatever way."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
import requests
from falcon.testing import Result
from sqlalchemy import update

from ipcraft.plugin import Application, Invalid, LimitReached, Statement, given, own
from ipcraft.testing import Databases, Organization, make_application, make_organization
from ipcraft.testing.serving import Served
from ipcraft_accounts import admit, change_plan, organizations
from ipcraft_ipam import sections

ROUNDS = int(os.environ.get("IPCRAFT_TEST_ROUNDS", "3"))
CLIENTS = 64


class Crowd:
    """Be many clients of one server, which answers with several processes."""

    def __init__(self, served: Served, pool: ThreadPoolExecutor) -> None:
        self._served = served
        self._pool = pool

    def create(self, kind: str) -> list[int]:
        """Let all create at once what there is room for one more of; give the statuses."""
        org = self._served.organization(plan="pro")
        assert org.post("/api/v1/sections", json={"name": "first"}).status_code == 201
        subnet_id = org.post("/api/v1/subnets", json={"network": "192.168.0.0/16"}).json()["id"]
        first_free = f"/api/v1/subnets/{subnet_id}/first-free"
        assert org.post(first_free, json={}).status_code == 201
        path = first_free if kind == "addresses" else f"/api/v1/{kind}"

        def send(number: int) -> int:
            bodies = {
                "sections": {"name": f"{number}"},
                "subnets": {"network": f"10.{number}.0.0/16"},
                "addresses": {},
            }
            return requests.post(
                self._served.url + path,
                json=bodies[kind],
                headers={"Authorization": f"Bearer {org.key}"},
                timeout=60,
            ).status_code

        return sorted(self._pool.map(send, range(CLIENTS)))


@pytest.fixture(scope="module")
def crowd(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    """Serve plans with room for two of each kind."""
    pro = {"sections": 2, "subnets": 2, "addresses": 2, "rate_limit": "unlimited"}
    environ = {"IPCRAFT_PLANS_CATALOGUE": json.dumps({"pro": pro})}
    folder = tmp_path_factory.mktemp("crowd")
    with (
        Served(databases.create(), folder, workers=2, environ=environ) as served,
        ThreadPoolExecutor(CLIENTS) as pool,
    ):
        yield Crowd(served, pool)


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


def test_the_plan_is_shown_without_the_inventory(database_url: str) -> None:
    """Where the plugin is switched off that keeps subnets, the others are counted."""
    app = make_application(database_url, disable=["ipam"])
    answer = make_organization(app).client.get("/api/v1/billing/plan")
    app.close()
    assert answer.json["usage"] == {"users": 1}


def test_a_plan_that_is_gone_is_an_error_and_not_unlimited(
    application: Application, tiny: Organization
) -> None:
    """Nobody is let through because the catalogue has not the plan."""
    rename = Statement(
        update(organizations)
        .where(organizations.c.organization_id == own())
        .values(plan=given("new_plan"))
    )
    application.storage.transact(tiny.id, lambda tx: tx.write(rename, new_plan="gone"))
    client = tiny.client_as(application, "owner")
    assert client.get("/api/v1/sections").status_code == 500
    assert client.post("/api/v1/sections", json={"name": "x"}).status_code == 500
    with pytest.raises(LookupError, match="the plan 'gone'"):
        application.storage.transact(tiny.id, lambda tx: sections.create(tx, {"name": "x"}))


def test_work_of_no_request_is_limited_too(application: Application, tiny: Organization) -> None:
    """A command knows no plan: it is asked for, in the same transaction."""
    create = partial(sections.create, values={"name": "x"})
    for _ in range(2):
        application.storage.transact(tiny.id, create)
    with pytest.raises(LimitReached, match="The plan tiny includes 2 folders"):
        application.storage.transact(tiny.id, create)


def test_who_was_invited_joins_while_there_is_room(
    application: Application, tiny: Organization
) -> None:
    """Of two invited to one place the second gets it only when the plan includes more."""
    for name in ("a", "b"):
        body = {"email": f"{name}-{tiny.email}", "role": "viewer"}
        assert tiny.client.post("/api/v1/invitations", json=body).status_code == 201
    admit(application, f"a-{tiny.email}")
    with pytest.raises(LimitReached, match="The plan tiny includes 2 users"):
        admit(application, f"b-{tiny.email}")
    assert usage(tiny)["users"] == 2
    application.storage.transact(tiny.id, lambda tx: change_plan(tx, "enterprise"))
    assert admit(application, f"b-{tiny.email}").organization.id == tiny.id


def test_a_change_of_the_plan_is_recorded(application: Application, tiny: Organization) -> None:
    """Activity tells it; giving the same plan again changes nothing."""
    for _ in range(2):
        application.storage.transact(tiny.id, lambda tx: change_plan(tx, "pro"))
    told = [entry["details"] for entry in tiny.client.get("/api/v1/activity").json]
    assert told.count("Changed the plan from tiny to pro") == 1
    with pytest.raises(Invalid, match="plan must be one of free, pro, teams, enterprise, tiny"):
        application.storage.transact(tiny.id, lambda tx: change_plan(tx, "gold"))


@pytest.mark.parametrize("kind", ["sections", "subnets", "addresses"])
def test_of_many_at_once_exactly_one_gets_the_last_place(crowd: Crowd, kind: str) -> None:
    """64 clients create at one below the limit: one succeeds, the others get 402."""
    for _ in range(ROUNDS):
        statuses = crowd.create(kind)
        assert statuses == [201] + [402] * (CLIENTS - 1)


def test_of_many_invited_at_once_exactly_one_gets_the_last_place(application: Application) -> None:
    """64 people accept their invitations at one below the limit: one becomes a user."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        for _ in range(ROUNDS):
            organization = make_organization(application, plan="tiny")
            guests = [f"{number}-{organization.email}" for number in range(CLIENTS)]
            for guest in guests:
                made = organization.client.post("/api/v1/invitations", json={"email": guest})
                assert made.status_code == 201

            def enter(guest: str) -> bool:
                try:
                    admit(application, guest)
                except LimitReached:
                    return False
                return True

            assert sum(pool.map(enter, guests)) == 1
            assert usage(organization)["users"] == 2
