"""Webhooks: each example of the reference, and each change told to a receiver that verifies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from ipcraft.testing.services import Reply, WebhookReceiver

from .answers import created, found, gone, is_id, is_time, refused, refused_field
from .inventory import (
    Resource,
    add_address,
    add_section,
    add_subnet,
    add_subnets,
    add_vlan,
    add_vrf,
)
from .reference import EXAMPLES, differences

if TYPE_CHECKING:
    from pathlib import Path

    from ipcraft.testing import Databases
    from ipcraft.testing.fixtures import Org, Served

PATH = "/api/v1/webhooks"
CREATE = EXAMPLES["POST /api/v1/webhooks"]
ENTRY = EXAMPLES["GET /api/v1/webhooks"].response[0]


@pytest.fixture(scope="module")
def served(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a served process whose webhooks may lead to this machine."""
    from ipcraft.testing.serving import Served

    environ = {"IPCRAFT_ALLOWED_NETWORKS": "127.0.0.0/8"}
    folder: Path = tmp_path_factory.mktemp("served")
    with Served(databases.create(), folder, environ=environ) as server:
        yield server


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    """Give a receiver."""
    with WebhookReceiver() as receiver:
        yield receiver


def documented(org: Org) -> Resource:
    """Create the webhook of the examples."""
    made: Resource = created(org.post(PATH, json=CREATE.request))
    return made


def subscribed(org: Org, receiver: WebhookReceiver, *types: str) -> Resource:
    """Create a webhook that leads to the receiver, which verifies what it gets."""
    body = {"url": receiver.url, "event_types": list(types)}
    made: Resource = created(org.post(PATH, json=body))
    receiver.trust(made["secret"])
    return made


def told(receiver: WebhookReceiver, number: int) -> list[tuple[str, Any]]:
    """Wait for so many events; give their types and data, in the order they happened in."""
    events = [each.event for each in receiver.wait_for(number)]
    return [
        (each["event"], each["data"]) for each in sorted(events, key=lambda each: each["sequence"])
    ]


def test_list_webhooks(org: Org) -> None:
    """The list holds the webhook of the example, without its secret."""
    made = documented(org)
    response = org.get(PATH)
    answer = found(response)
    assert differences(EXAMPLES["GET /api/v1/webhooks"].response, answer) == []
    assert [each["id"] for each in answer] == [made["id"]]
    assert {name: answer[0][name] for name in CREATE.request} == CREATE.request
    assert (answer[0]["is_active"], answer[0]["failure_count"]) == (True, 0)
    assert made["secret"] not in response.text
    assert "whsec_" not in response.text


def test_create_webhook(org: Org) -> None:
    """The created webhook is answered with its secret."""
    answer = documented(org)
    assert differences(CREATE.response, answer) == []
    assert is_id(answer["id"], "wh")
    assert len(answer["secret"]) == len("whsec_") + 64


def test_get_webhook(org: Org) -> None:
    """A webhook is found by its id, as it is in the list."""
    made = documented(org)
    answer = found(org.get(f"{PATH}/{made['id']}"))
    assert differences(ENTRY, answer) == []
    assert "secret" not in answer


def test_update_webhook(org: Org) -> None:
    """The documented changes are made."""
    made = documented(org)
    body = EXAMPLES["PATCH /api/v1/webhooks/{id}"].request
    answer = found(org.patch(f"{PATH}/{made['id']}", json=body))
    assert {name: answer[name] for name in body} == body
    assert answer["description"] == CREATE.request["description"]


def test_delete_webhook(org: Org) -> None:
    """A deleted webhook is answered with 204 and found no more, nor is its history."""
    assert EXAMPLES["DELETE /api/v1/webhooks/{id}"].no_content
    path = f"{PATH}/{documented(org)['id']}"
    gone(org.delete(path))
    refused(org.get(path), 404)
    refused(org.get(f"{path}/deliveries"), 404)


def test_test_ping(org: Org, receiver: WebhookReceiver) -> None:
    """The result of the ping is answered."""
    made = subscribed(org, receiver)
    answer = found(org.post(f"{PATH}/{made['id']}/test"))
    example = EXAMPLES["POST /api/v1/webhooks/{id}/test"].response
    assert differences(example, answer) == []
    assert (answer["event_type"], answer["response_status"], answer["attempt"]) == ("ping", 200, 1)
    (delivered,) = receiver.taken
    assert delivered.event["event"] == "ping"


@pytest.mark.parametrize("status", [300, 404, 500])
def test_a_test_ping_that_is_not_taken_is_a_502(
    org: Org, receiver: WebhookReceiver, status: int
) -> None:
    """A non-2xx answer is told as 502."""
    made = subscribed(org, receiver)
    receiver.reply = Reply(status=status)
    body = refused(org.post(f"{PATH}/{made['id']}/test"), 502)
    assert str(status) in body["error"]


def test_list_deliveries(org: Org, receiver: WebhookReceiver) -> None:
    """The log holds what was sent."""
    made = subscribed(org, receiver)
    found(org.post(f"{PATH}/{made['id']}/test"))
    answer = found(org.get(f"{PATH}/{made['id']}/deliveries"))
    example = EXAMPLES["GET /api/v1/webhooks/{id}/deliveries"].response
    assert differences(example, answer) == []
    assert is_time(answer[0]["delivered_at"])


def test_rotate_secret(org: Org, receiver: WebhookReceiver) -> None:
    """The new secret is answered, and signs from now on."""
    made = subscribed(org, receiver)
    answer = found(org.post(f"{PATH}/{made['id']}/rotate-secret"))
    example = EXAMPLES["POST /api/v1/webhooks/{id}/rotate-secret"].response
    assert differences(example, answer) == []
    receiver.trust(answer["secret"])
    found(org.post(f"{PATH}/{made['id']}/test"))
    assert receiver.taken[-1].is_signed_with(answer["secret"])
    assert not receiver.taken[-1].is_signed_with(made["secret"])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": 5}, "url"),
        ({"url": "example.com"}, "url"),
        ({"url": "https://192.168.1.1/"}, "url"),
        ({"url": "https://example.com", "event_types": ["subnet.exploded"]}, "event_types"),
        ({"url": "https://example.com", "event_types": None}, "event_types"),
        ({"url": "https://example.com", "events": []}, "events"),
        ({"url": "https://example.com", "secret": "whsec_mine"}, "secret"),
    ],
)
def test_a_bad_webhook_is_refused(org: Org, body: object, field: str) -> None:
    """What is wrong is named."""
    refused_field(org.post(PATH, json=body), field)


@pytest.mark.parametrize("value", ["0", "201", "-1", "many"])
def test_more_than_200_deliveries_cannot_be_asked_for(org: Org, value: str) -> None:
    """`limit` is 1 to 200."""
    path = f"{PATH}/{documented(org)['id']}/deliveries"
    refused_field(org.get(path, params={"limit": value}), "limit")


def test_every_change_is_told(org: Org, receiver: WebhookReceiver) -> None:
    """Each change made through the API arrives, well signed, with its label and what changed."""
    subscribed(org, receiver)
    section = add_section(org, "Production")
    subnet = add_subnet(org, "10.0.1.0/24", section_id=section["id"])
    address = add_address(org, subnet, "10.0.1.10", hostname="web-01")
    found(org.patch(f"/api/v1/addresses/{address['id']}", json={"hostname": "web-02"}))
    gone(org.delete(f"/api/v1/addresses/{address['id']}"))
    gone(org.delete(f"/api/v1/subnets/{subnet['id']}"))
    events = told(receiver, 6)
    assert [(event, data["label"]) for event, data in events] == [
        ("folder.created", "Production"),
        ("subnet.created", "10.0.1.0/24"),
        ("address.created", "10.0.1.10"),
        ("address.updated", "10.0.1.10"),
        ("address.deleted", "10.0.1.10"),
        ("subnet.deleted", "10.0.1.0/24"),
    ]
    assert events[3][1]["hostname"] == "web-02"
    assert receiver.refused == []


def test_vrfs_and_vlans_are_told_of(org: Org, receiver: WebhookReceiver) -> None:
    """Their events have types of their own; a subnet's says which VRF and VLAN it is in."""
    subscribed(
        org, receiver, "vrf.created", "vrf.updated", "vrf.deleted", "vlan.deleted", "subnet.deleted"
    )
    vrf, vlan = add_vrf(org, "Blue", rd="65000:1"), add_vlan(org, 120, "Voice")
    subnet = add_subnet(org, "10.0.1.0/24", vrf_id=vrf["id"], vlan_id=vlan["id"])
    gone(org.delete(f"/api/v1/subnets/{subnet['id']}"))
    gone(org.delete(f"/api/v1/vlans/{vlan['id']}"))
    found(org.patch(f"/api/v1/vrfs/{vrf['id']}", json={"name": "Red"}))
    gone(org.delete(f"/api/v1/vrfs/{vrf['id']}"))
    blue = {"label": "Blue", "name": "Blue", "rd": "65000:1", "description": None}
    deleted = {"network": "10.0.1.0/24", "vrf_id": vrf["id"], "addresses_deleted": 0}
    assert told(receiver, 5) == [
        ("vrf.created", blue),
        ("subnet.deleted", {"label": "10.0.1.0/24", **deleted}),
        ("vlan.deleted", {"label": "120 Voice"}),
        ("vrf.updated", {"label": "Red", "name": "Red"}),
        ("vrf.deleted", {"label": "Red"}),
    ]


def test_an_event_has_the_documented_body(org: Org, receiver: WebhookReceiver) -> None:
    """Five documented keys, and ours beside them."""
    subscribed(org, receiver)
    subnet = add_subnet(org, "10.0.1.0/24")
    (delivered,) = receiver.wait_for(1)
    event = delivered.event
    assert event["event"] == "subnet.created"
    assert (event["resource_type"], event["resource_id"]) == ("subnet", subnet["id"])
    assert is_time(event["timestamp"])
    assert is_id(event["id"], "evt")
    assert (event["organization_id"], event["actor"]) == (org.id, org.user_id)
    assert event["sequence"] >= 1
    assert delivered.id == event["id"]


def test_a_cascade_tells_of_each_subnet(org: Org, receiver: WebhookReceiver) -> None:
    """One subnet.deleted for each subnet, with the number of addresses that went with it."""
    subscribed(org, receiver, "subnet.deleted")
    made = add_subnets(org, ["10.0.0.0/16", "10.0.1.0/24"])
    add_address(org, made["10.0.1.0/24"], "10.0.1.10")
    gone(org.delete(f"/api/v1/subnets/{made['10.0.0.0/16']['id']}"))
    events = told(receiver, 2)
    assert {data["label"] for _, data in events} == {"10.0.0.0/16", "10.0.1.0/24"}
    assert {event for event, _ in events} == {"subnet.deleted"}


def test_what_was_refused_is_not_told(org: Org, receiver: WebhookReceiver) -> None:
    """Only what was committed is an event."""
    subscribed(org, receiver)
    subnet = add_subnet(org, "10.0.1.0/24")
    refused(org.post("/api/v1/subnets", json={"network": "10.0.1.0/24"}))
    body = [{"ip": "10.0.1.5"}, {"ip": "10.0.2.5"}]
    refused(org.post(f"/api/v1/subnets/{subnet['id']}/addresses", json=body))
    add_address(org, subnet, "10.0.1.6")
    assert [event for event, _ in told(receiver, 2)] == ["subnet.created", "address.created"]


def test_a_delivery_is_sent_again(org: Org, receiver: WebhookReceiver) -> None:
    """What the log holds can be asked for again; the id is the same."""
    made = subscribed(org, receiver)
    add_section(org, "Production")
    receiver.wait_for(1)
    path = f"{PATH}/{made['id']}/deliveries"
    entries: list[Any] = []
    while not entries:
        entries = found(org.get(path))
    response = org.post(f"{path}/{entries[0]['id']}/redeliver")
    assert response.status_code == 202, response.text
    assert len({each.id for each in receiver.wait_for(2)}) == 1
