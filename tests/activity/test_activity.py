"""What happened in an organization, over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import falcon.testing
import pytest

from ipcraft.http.lists import LARGEST_OFFSET
from ipcraft.plugin import Application, Change, is_id, rfc3339
from ipcraft.testing import Client, Clock, make_application, make_organization
from ipcraft_accounts import Organization, User, change_plan, create_organization
from ipcraft_apikeys import NewKey, create_key

Activity = Callable[..., falcon.testing.Result]
MADE_WITH_AN_ORGANIZATION = 3
"""Entries of a new organization: itself, its owner, the key."""


@pytest.fixture
def member(application: Application) -> tuple[Organization, User]:
    """Make an organization and its owner."""
    return create_organization(application.storage, name="Acme", owner_email="ada@example.com")


@pytest.fixture
def made(application: Application, member: tuple[Organization, User]) -> NewKey:
    """Make a key that may only look."""
    return _make_key(application, *member)


@pytest.fixture
def activity(application: Application, made: NewKey) -> Activity:
    """Give a way to ask for the organization's activity."""
    client = Client(application, made.secret)

    def ask(**params: int | str) -> falcon.testing.Result:
        return client.get("/api/v1/activity", params=params)

    return ask


def test_an_entry_tells_who_did_what_when(
    activity: Activity, made: NewKey, member: tuple[Organization, User]
) -> None:
    """The documented fields, then ours; its id is the event's under another prefix."""
    answer = activity(limit=1)
    assert answer.status_code == 200
    (entry,) = answer.json
    assert is_id(entry.pop("id"), "act")
    assert entry.pop("after")["name"] == "CI"
    del entry["request_id"]
    assert entry == {
        "action": "api_key.created",
        "resource_type": "api_key",
        "resource_id": made.api_key.id,
        "user_id": member[1].id,
        "details": "Created API key CI",
        "created_at": rfc3339(made.api_key.created_at),
        "label": "CI",
        "before": None,
    }


def test_the_newest_comes_first(activity: Activity) -> None:
    """The log begins with what happened last."""
    actions = [entry["action"] for entry in activity().json]
    assert actions == ["api_key.created", "user.created", "organization.created"]


def test_fifty_entries_are_given_unless_asked(
    application: Application, activity: Activity, member: tuple[Organization, User]
) -> None:
    """Without a limit there are at most 50 entries, uncounted."""
    _record(application, member, count=60)
    answer = activity()
    assert [entry["details"] for entry in answer.json] == [str(n) for n in range(59, 9, -1)]
    assert "X-Total-Count" not in answer.headers
    assert "Link" not in answer.headers


def test_a_part_is_asked_for_with_limit_and_offset(
    application: Application, activity: Activity, member: tuple[Organization, User]
) -> None:
    """The answer to a part says how many entries there are and where the others begin."""
    _record(application, member, count=60)
    answer = activity(limit=10, offset=20)
    assert [entry["details"] for entry in answer.json] == [str(n) for n in range(39, 29, -1)]
    assert answer.headers["X-Total-Count"] == str(60 + MADE_WITH_AN_ORGANIZATION)
    assert 'limit=10&offset=30>; rel="next"' in answer.headers["Link"]


def test_an_offset_alone_is_a_part_of_fifty(
    application: Application, activity: Activity, member: tuple[Organization, User]
) -> None:
    """The default limit holds with an offset, too."""
    _record(application, member, count=60)
    answer = activity(offset=1)
    assert len(answer.json) == 50
    assert answer.headers["X-Total-Count"] == str(60 + MADE_WITH_AN_ORGANIZATION)


def test_the_largest_offset_is_beyond_every_entry(
    application: Application, activity: Activity, member: tuple[Organization, User]
) -> None:
    """There is nothing there, also where entries are looked up by what they are about."""
    _record(application, member, count=1)
    for filters in ({}, {"resource_type": "subnet"}, {"action": "subnet.created"}):
        answer = activity(offset=LARGEST_OFFSET, limit=200, **filters)
        assert (answer.status_code, answer.json) == (200, [])


def test_two_hundred_entries_can_be_asked_for(
    application: Application, activity: Activity, member: tuple[Organization, User]
) -> None:
    """200 is the most."""
    _record(application, member, count=210)
    assert len(activity(limit=200).json) == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [("limit", 201), ("limit", 0), ("limit", "many"), ("offset", -1), ("offset", "1.5")],
)
def test_a_bad_part_is_refused(activity: Activity, name: str, value: int | str) -> None:
    """The refusal names the parameter."""
    answer = activity(**{name: value})
    assert answer.status_code == 400
    assert name in answer.json["fields"]


def test_an_organization_sees_its_own_activity_alone(
    application: Application, activity: Activity
) -> None:
    """What happens elsewhere is not told."""
    stranger = create_organization(application.storage, name="Other", owner_email="eve@example.com")
    _make_key(application, *stranger)
    assert len(activity().json) == MADE_WITH_AN_ORGANIZATION


def test_entries_are_shown_as_long_as_the_plan_says(database_url: str) -> None:
    """Older ones are neither listed nor counted, and come back with a longer plan."""
    clock = Clock(1_772_366_400)
    app = make_application(database_url, clock=clock)
    organization = make_organization(app, plan="free")
    ask = partial(organization.client.get, "/api/v1/activity", params={"limit": 10})
    clock.advance(hours=7 * 24)
    assert len(ask().json) == MADE_WITH_AN_ORGANIZATION
    clock.advance(seconds=1)
    answer = ask()
    assert (answer.json, answer.headers["x-total-count"]) == ([], "0")
    app.storage.transact(organization.id, lambda tx: change_plan(tx, "pro"))
    answer = ask()
    total = MADE_WITH_AN_ORGANIZATION + 1
    assert (len(answer.json), answer.headers["x-total-count"]) == (total, str(total))
    app.storage.close()


def _make_key(application: Application, organization: Organization, user: User) -> NewKey:
    return application.storage.transact(
        organization.id,
        lambda tx: create_key(tx, name="CI", role="viewer", user_id=user.id, maker_role="owner"),
        actor=user.id,
    )


def _record(application: Application, member: tuple[Organization, User], *, count: int) -> None:
    organization, user = member
    changes = [
        Change(type="user.created", resource_id=user.id, label="Ada", details=str(number))
        for number in range(count)
    ]
    application.storage.transact(organization.id, lambda tx: tx.record_many(changes))
