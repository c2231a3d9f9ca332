"""Events in their order: to catch up on what a receiver missed."""

from __future__ import annotations

from typing import Any

import pytest

from ipcraft.plugin import Application, is_id, rfc3339
from ipcraft.testing import Organization, make_organization

from .conftest import NOON
from .ways import count

PATH = "/api/v1/events"
MADE_WITH_AN_ORGANIZATION = 3


def ask(organization: Organization, **params: Any) -> list[dict[str, Any]]:
    """Give the events."""
    answer = organization.client.get(PATH, params=params)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json
    return found


def test_an_event_is_shown_as_a_webhook_is(
    application: Application, organization: Organization
) -> None:
    """The documented body, and beside it what identifies and orders it."""
    made = organization.client.post("/api/v1/sections", json={"name": "Lab"}).json
    count(application)
    event = ask(organization)[-1]
    assert is_id(event.pop("id"), "evt")
    assert event == {
        "event": "folder.created",
        "resource_type": "folder",
        "resource_id": made["id"],
        "timestamp": rfc3339(NOON),
        "data": {"label": "Lab", "name": "Lab", "description": None, "sort_order": 0},
        "organization_id": organization.id,
        "actor": organization.user_id,
        "sequence": MADE_WITH_AN_ORGANIZATION + 1,
    }


def test_events_follow_a_sequence(application: Application, organization: Organization) -> None:
    """In order and without a gap, as many as are wanted; at the end there are none."""
    for number in range(10):
        organization.client.post("/api/v1/sections", json={"name": str(number)})
    count(application)
    seen: list[int] = []
    while events := ask(organization, after=seen[-1] if seen else 0, limit=4):
        assert len(events) <= 4
        seen += [event["sequence"] for event in events]
    assert seen == list(range(1, MADE_WITH_AN_ORGANIZATION + 11))


def test_an_event_without_a_sequence_is_not_shown(
    application: Application, organization: Organization
) -> None:
    """Else a reader would pass by it."""
    assert ask(organization) == []
    count(application)
    assert len(ask(organization)) == MADE_WITH_AN_ORGANIZATION


def test_an_organization_sees_its_own_events_alone(
    application: Application, organization: Organization
) -> None:
    """And its sequences tell nothing of others."""
    other = make_organization(application)
    count(application)
    for each in (organization, other):
        events = ask(each)
        assert {event["organization_id"] for event in events} == {each.id}
        assert [event["sequence"] for event in events] == [1, 2, 3]


@pytest.mark.parametrize(
    ("name", "value"),
    [("after", "-1"), ("after", "x"), ("after", "1.0"), ("limit", "0"), ("limit", "1001")],
)
def test_a_bad_place_is_refused(organization: Organization, name: str, value: str) -> None:
    """The refusal names the parameter."""
    answer = organization.client.get(PATH, params={name: value})
    assert answer.status_code == 400
    assert name in answer.json["fields"]


def test_a_viewer_catches_up(application: Application, organization: Organization) -> None:
    """Who may look at the inventory may see what happens to it."""
    count(application)
    viewer = organization.client_as(application, "viewer")
    assert viewer.get(PATH).status_code == 200
