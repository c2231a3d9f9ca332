"""A write that is only tried answers as the real one, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ipcraft.plugin import Application
from ipcraft.testing import Organization, make_application, make_organization
from ipcraft.testing.events import take_events

DRY = {"dry_run": "true"}
SECTIONS = "/api/v1/sections"
SUBNETS = "/api/v1/subnets"


@pytest.fixture
def application(database_url: str) -> Iterator[Application]:
    """Give an application whose webhooks may lead to loopback, and that runs nothing beside."""
    app = make_application(database_url, settings={"allowed_networks": ["127.0.0.0/8"]})
    app.job_queue.close()
    yield app
    app.close()


def test_what_is_refused_is_refused_when_tried(organization: Organization) -> None:
    """Everything is checked: what is missing, what overlaps, what the database forbids."""
    client = organization.client
    client.post(SUBNETS, json={"network": "10.0.0.0/24"})
    for method, path, body, status in (
        ("POST", SUBNETS, {"network": "10.0.0.0/24"}, 400),
        ("POST", SUBNETS, {"network": "10.0.0.1/24"}, 400),
        ("DELETE", f"{SUBNETS}/sub_01h455vb4pex5vsknk084sn02q", None, 404),
        ("PATCH", f"{SECTIONS}/junk", {"name": "A"}, 404),
    ):
        answer = client.request(method, path, json=body, params=DRY)
        assert answer.status_code == status
        assert answer.headers["dry-run"] == "true"


def test_a_limit_of_the_plan_counts_when_tried(application: Application) -> None:
    """A subnet that the plan does not include is 402."""
    client = make_organization(application, plan="pro").client
    subnets = [{"network": f"10.{n // 256}.{n % 256}.0/24"} for n in range(501)]
    assert client.post(SUBNETS, json=subnets, params=DRY).status_code == 402
    assert client.post(SUBNETS, json=subnets[:500], params=DRY).status_code == 201
    assert client.get(SUBNETS).json == []


def test_a_role_counts_when_tried(application: Application, organization: Organization) -> None:
    """A viewer may not even try."""
    viewer = organization.client_as(application, "viewer")
    assert viewer.post(SECTIONS, json={"name": "A"}, params=DRY).status_code == 403


def test_a_cascade_can_be_tried(organization: Organization) -> None:
    """A deletion with all that goes with it leaves all of it there."""
    client = organization.client
    subnet = client.post(SUBNETS, json={"network": "10.0.0.0/16"}).json["id"]
    part = client.post(f"{SUBNETS}/{subnet}/split", json={"parts": 16}).json[0]["id"]
    client.post(f"{SUBNETS}/{part}/first-free", json={"count": 100})
    assert client.delete(f"{SUBNETS}/{subnet}", params=DRY).status_code == 204
    assert client.get(f"{SUBNETS}/{subnet}/usage").json["used"] == 100
    assert len(client.get(SUBNETS).json) == 17


def test_events_have_no_gap(application: Application, organization: Organization) -> None:
    """What was tried is no event, and takes no sequence."""
    client = organization.client
    for name in "ABC":
        client.post(SECTIONS, json={"name": f"tried {name}"}, params=DRY)
        client.post(SECTIONS, json={"name": name})
    take_events(application)
    found = client.get("/api/v1/events", params={"limit": "1000"}).json
    sequences = [event["sequence"] for event in found]
    assert sequences == list(range(sequences[0], sequences[0] + len(sequences)))
    assert [each["data"]["label"] for each in found if "folder" in each["event"]] == list("ABC")


def test_a_key_of_a_dry_run_is_not_used_up(organization: Organization) -> None:
    """Nothing was done that could be done twice."""
    headers = {"Idempotency-Key": "one"}
    client, body = organization.client, {"name": "A"}
    for _ in range(2):
        tried = client.post(SECTIONS, json=body, params=DRY, headers=headers)
        assert "idempotent-replayed" not in tried.headers
    made = client.post(SECTIONS, json=body, headers=headers)
    assert (made.status_code, "idempotent-replayed" in made.headers) == (201, False)


@pytest.mark.parametrize("value", ["", "yes", "1", "True", ["true", "false"]])
def test_a_dry_run_is_true_or_false(organization: Organization, value: str | list[str]) -> None:
    """Anything else is 400: it might be meant, and the write would be real."""
    path = f"{SECTIONS}?" + "&".join(
        f"dry_run={each}" for each in ([value] if isinstance(value, str) else value)
    )
    answer = organization.client.post(path, json={"name": "A"})
    assert answer.status_code == 400
    assert "dry_run" in answer.json["fields"]
    assert organization.client.get(SECTIONS).json == []


def test_a_dry_run_may_be_false(organization: Organization) -> None:
    """Then it is the write itself."""
    answer = organization.client.post(SECTIONS, json={"name": "A"}, params={"dry_run": "false"})
    assert (answer.status_code, "dry-run" in answer.headers) == (201, False)
    assert len(organization.client.get(SECTIONS).json) == 1


def test_a_tried_sign_out_leaves_the_cookie(
    application: Application, organization: Organization
) -> None:
    """No cookie is taken from a browser by what was not done."""
    browser = organization.browser(application)
    answer = browser.post("/api/v1/auth/logout", params=DRY)
    assert (answer.status_code, answer.cookies) == (204, {})
    assert browser.get("/api/v1/auth/me").status_code == 200
    assert browser.post("/api/v1/auth/logout").cookies


def test_signing_in_cannot_be_tried(organization: Organization) -> None:
    """A route without an organization has no transaction to roll back."""
    answer = organization.client.post("/api/v1/auth/send-link", json={}, params=DRY)
    assert (answer.status_code, answer.json["code"]) == (400, "dry_run_unsupported")
