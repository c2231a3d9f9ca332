"""The activity log, filtered: by resource, action, actor and time."""

from __future__ import annotations

from typing import Any

import pytest

from ipcraft.plugin import Application, rfc3339
from ipcraft.testing import Client, Clock, Organization

from .conftest import NOON
from .ways import count

PATH = "/api/v1/activity"


@pytest.fixture(params=["counted", "not counted yet", "mixed"])
def happened(
    request: pytest.FixtureRequest,
    application: Application,
    organization: Organization,
    clock: Clock,
) -> dict[str, str]:
    """Have a day of changes, whether or not they have their sequence; give ids."""
    api = organization.client
    clock.advance(hours=1)
    folder = api.post("/api/v1/sections", json={"name": "Lab"}).json["id"]
    clock.advance(hours=1)
    subnet = api.post("/api/v1/subnets", json={"network": "10.0.1.0/24"}).json["id"]
    if request.param == "mixed":
        count(application)
    clock.advance(hours=1)
    browser = organization.browser(application)
    answer = browser.patch(f"/api/v1/sections/{folder}", json={"name": "Laboratory"})
    assert answer.status_code == 200
    clock.advance(hours=1)
    api.delete(f"/api/v1/subnets/{subnet}")
    if request.param == "counted":
        count(application)
    return {"folder": folder, "subnet": subnet}


def ask(client: Client, **params: Any) -> list[str]:
    """Give the actions of the log, the newest first."""
    answer = client.get(PATH, params=params)
    assert answer.status_code == 200, answer.text
    return [entry["action"] for entry in answer.json]


def test_by_resource(organization: Organization, happened: dict[str, str]) -> None:
    """By its type, by its id, or by both."""
    api = organization.client
    folder = ["folder.updated", "folder.created"]
    assert ask(api, resource_type="folder") == folder
    assert ask(api, resource_id=happened["folder"]) == folder
    assert ask(api, resource_id=happened["folder"], resource_type="folder") == folder
    assert ask(api, resource_id=happened["folder"], resource_type="subnet") == []
    assert ask(api, resource_type="fold") == []
    assert ask(api, resource_type="") == []


@pytest.mark.usefixtures("happened")
def test_by_action(organization: Organization) -> None:
    """The whole action, not its beginning."""
    assert ask(organization.client, action="subnet.deleted") == ["subnet.deleted"]
    assert ask(organization.client, action="subnet") == []


@pytest.mark.usefixtures("happened")
def test_by_actor(organization: Organization) -> None:
    """The user whom the change is ascribed to, under either name."""
    mine = ask(organization.client, actor=organization.user_id)
    inventory = ["subnet.deleted", "folder.updated", "subnet.created", "folder.created"]
    assert mine == [*inventory, "api_key.created"]
    assert ask(organization.client, user_id=organization.user_id) == mine
    assert ask(organization.client, actor="usr_nobody") == []


@pytest.mark.usefixtures("happened")
def test_by_time(organization: Organization) -> None:
    """From the first second on, and before the last; both must say their zone."""
    hours = [rfc3339(NOON + 3600 * hour) for hour in range(6)]
    api = organization.client
    assert ask(api, since=hours[3]) == ["subnet.deleted", "folder.updated"]
    assert ask(api, since=hours[2], until=hours[3]) == ["subnet.created"]
    assert ask(api, since=hours[5]) == []
    assert ask(api, since="2026-03-01T15:00:00+00:00") == ["subnet.deleted", "folder.updated"]
    until = ask(api, until=hours[1])
    assert until == ["api_key.created", "user.created", "organization.created"]


@pytest.mark.usefixtures("happened")
def test_pages_of_what_is_wanted(organization: Organization) -> None:
    """Counted and linked as any list; the parameters stay in the links."""
    params = {"actor": organization.user_id, "limit": 2, "offset": 1}
    answer = organization.client.get(PATH, params=params)
    assert [entry["action"] for entry in answer.json] == ["folder.updated", "subnet.created"]
    assert answer.headers["X-Total-Count"] == "5"
    assert f"actor={organization.user_id}" in answer.headers["Link"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("since", "yesterday"),
        ("since", "2026-03-01T12:00:00"),
        ("until", "1772366400"),
    ],
)
def test_what_is_no_filter_is_refused(organization: Organization, name: str, value: str) -> None:
    """The refusal names the parameter."""
    answer = organization.client.get(PATH, params={name: value})
    assert answer.status_code == 400
    assert name in answer.json["fields"]


def test_a_filter_given_twice_is_refused(organization: Organization) -> None:
    """Nobody could say which one is meant."""
    answer = organization.client.get(PATH, query_string="action=a.b&action=c.d")
    assert answer.status_code == 400


def test_an_entry_tells_before_and_after(organization: Organization) -> None:
    """The changed fields, and whole resources where they begin and end."""
    api = organization.client
    subnet = api.post("/api/v1/subnets", json={"network": "10.0.1.0/24", "name": "Old"}).json["id"]
    path = f"/api/v1/subnets/{subnet}/addresses"
    address = api.post(path, json={"ip": "10.0.1.7", "hostname": "web"}).json["id"]
    change = {"name": "New", "gateway": "10.0.1.1"}
    assert api.patch(f"/api/v1/subnets/{subnet}", json=change).status_code == 200
    answer = api.patch(f"/api/v1/addresses/{address}", json={"hostname": "db"})
    assert answer.status_code == 200
    assert api.delete(f"/api/v1/addresses/{address}").status_code == 204
    deleted, renamed, changed, made, created = api.get(PATH, params={"limit": 5}).json
    assert (created["before"], created["after"]["name"]) == (None, "Old")
    assert (made["before"], made["after"]["hostname"]) == (None, "web")
    assert changed["before"] == {"name": "Old", "gateway": None}
    assert changed["after"] == change
    assert (renamed["before"], renamed["after"]) == ({"hostname": "web"}, {"hostname": "db"})
    assert deleted["before"]["hostname"] == "db"
    assert deleted["before"]["ip"] == "10.0.1.7"
    assert deleted["after"] is None


def test_an_entry_and_its_event_have_the_request_in_common(
    application: Application, organization: Organization
) -> None:
    """The id that the sender gave it, or that it got; as in the log."""
    api = organization.client
    api.post("/api/v1/sections", json={"name": "Lab"}, headers={"X-Request-Id": "req-9"})
    (entry,) = api.get(PATH, params={"resource_type": "folder"}).json
    assert entry["request_id"] == "req-9"
    assert entry["label"] == "Lab"
    count(application)
    event = api.get("/api/v1/events", params={"limit": 1000}).json[-1]
    assert event["id"].partition("_")[2] == entry["id"].partition("_")[2]
