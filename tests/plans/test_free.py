"""The plan Free, row by row, on a served process, as its customers meet it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from sqlalchemy import update

from ipcraft.plugin import Seconds, Statement, events, given, own
from ipcraft.testing import Databases, make_session
from ipcraft.testing.serving import Org, Served

PATIENCE = 60
OURS = {"X-Requested-With": "XMLHttpRequest"}
ADDRESSES = 1_500
RATE = 10
"""Requests in a second. No test but the one of this row sends more."""

DAY = 86_400
AGE = Statement(
    update(events)
    .where(events.c.organization_id == own(), events.c.resource_id == given("resource"))
    .values(created_at=given("time", Seconds))
)


class Browser:
    """Be the owner's browser: on Free, keys only read."""

    def __init__(self, served: Served, org: Org) -> None:
        self._api = f"{served.url}/api/v1"
        self._session = requests.Session()
        self._session.cookies.set("session", make_session(served.application, org.email))

    def get(self, path: str) -> Any:
        """Look at something."""
        return self._send("GET", path, None).json()

    def post(self, path: str, body: Any) -> requests.Response:
        """Make something."""
        return self._send("POST", path, body)

    def _send(self, method: str, path: str, body: Any) -> requests.Response:
        return self._session.request(
            method, f"{self._api}/{path}", json=body, headers=OURS, timeout=PATIENCE
        )


@pytest.fixture(scope="module")
def server(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve, as a hosted service does, with several workers."""
    url = databases.create()
    with Served(url, tmp_path_factory.mktemp("free"), workers=2) as served:
        yield served
    databases.drop(url)


@pytest.fixture
def org(server: Served) -> Org:
    """Make an organization with the plan Free."""
    return server.organization(plan="free")


@pytest.fixture
def browser(server: Served, org: Org) -> Browser:
    """Give its owner's browser."""
    return Browser(server, org)


def refused(answer: requests.Response, sentence: str) -> None:
    """Expect 402 with what the plan includes."""
    assert (answer.status_code, answer.json()["code"]) == (402, "plan_limit"), answer.text
    assert sentence in answer.json()["error"]


def test_users(browser: Browser) -> None:
    """One, who is there: nobody else can be invited."""
    refused(browser.post("invitations", {"email": "bob@example.com"}), "includes 1 users")
    assert browser.get("billing/plan")["usage"]["users"] == 1


def test_folders(browser: Browser) -> None:
    """Five."""
    made = [browser.post("sections", {"name": f"{number}"}).status_code for number in range(5)]
    assert made == [201] * 5
    refused(browser.post("sections", {"name": "6"}), "includes 5 folders")
    assert browser.get("billing/plan")["usage"]["sections"] == 5


def test_subnets(browser: Browser) -> None:
    """A hundred, however they are made."""
    networks = [{"network": f"10.0.{number}.0/24"} for number in range(101)]
    refused(browser.post("subnets", networks), "includes 100 subnets")
    made = browser.post("subnets", networks[:99])
    assert made.status_code == 201
    refused(browser.post(f"subnets/{made.json()[0]['id']}/split", {"parts": 2}), "100 subnets")
    assert browser.post("subnets", networks[99]).status_code == 201
    refused(browser.post("subnets", networks[100]), "includes 100 subnets")
    assert browser.get("billing/plan")["usage"]["subnets"] == 100


def test_addresses(browser: Browser) -> None:
    """One thousand five hundred, however they are made."""
    subnet = browser.post("subnets", {"network": "10.0.0.0/16"}).json()["id"]
    path = f"subnets/{subnet}/addresses"
    items = [{"ip": f"10.0.{n // 250}.{n % 250 + 1}"} for n in range(ADDRESSES + 1)]
    refused(browser.post(path, items), "includes 1500 addresses")
    assert browser.post(path, items[: ADDRESSES - 1]).status_code == 201
    refused(browser.post(f"subnets/{subnet}/first-free", {"count": 2}), "1500 addresses")
    assert browser.post(f"subnets/{subnet}/first-free", {}).status_code == 201
    refused(browser.post(path, items[-1]), "includes 1500 addresses")
    assert browser.get("billing/plan")["usage"]["addresses"] == ADDRESSES


def test_api_access(org: Org, browser: Browser) -> None:
    """Keys read and do not write; the owner's browser does both."""
    refused(org.post("/api/v1/sections", json={"name": "x"}), "API keys can read but not write")
    made = browser.post("sections", {"name": "x"})
    assert made.status_code == 201
    path = f"/api/v1/sections/{made.json()['id']}"
    refused(org.patch(path, json={"name": "y"}), "can read but not write")
    refused(org.delete(path), "can read but not write")
    assert org.get("/api/v1/sections").json() == [made.json()]


def test_rate_limit(server: Served, org: Org) -> None:
    """Ten in the second that begins with the first, over all workers; the others are told when."""

    def ask(_: int) -> requests.Response:
        headers = {"Authorization": f"Bearer {org.key}"}
        return requests.get(f"{server.url}/api/v1/sections", headers=headers, timeout=PATIENCE)

    begun = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8 * RATE)))
    windows = int(time.monotonic() - begun) + 2
    allowed = [answer for answer in answers if answer.status_code == 200]
    one_too_many = [answer for answer in answers if answer.status_code == 429]
    assert len(allowed) + len(one_too_many) == len(answers)
    assert RATE <= len(allowed) <= windows * RATE
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {'"plan";q=10;w=1'}
    assert one_too_many
    assert {answer.headers["Retry-After"] for answer in one_too_many} == {"1"}
    assert {answer.json()["code"] for answer in one_too_many} == {"rate_limited"}


def test_activity(server: Served, org: Org, browser: Browser) -> None:
    """Seven days are shown."""
    old, young = (browser.post("sections", {"name": name}).json()["id"] for name in "ab")
    now = int(time.time())
    age(server, org, resource_id=old, to=now - 7 * DAY - 1)
    age(server, org, resource_id=young, to=now - 7 * DAY + PATIENCE)
    shown = [entry["resource_id"] for entry in browser.get("activity")]
    assert young in shown
    assert old not in shown


def test_the_plan_says_so(browser: Browser) -> None:
    """All rows, as the API reference has them."""
    assert browser.get("billing/plan") == {
        "plan": "free",
        "usage": {"users": 1, "sections": 0, "subnets": 0, "addresses": 0},
        "limits": {
            "users": 1,
            "sections": 5,
            "subnets": 100,
            "addresses": ADDRESSES,
            "api_access": "read-only",
            "rate_limit": RATE,
            "activity_days": 7,
        },
    }


def age(server: Served, org: Org, *, resource_id: str, to: int) -> None:
    """Have what happened to a resource have happened at another time."""
    server.application.storage.transact(
        org.id, lambda tx: tx.write(AGE, resource=resource_id, time=to)
    )
