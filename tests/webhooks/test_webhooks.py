"""Managing webhooks over HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ipcraft.plugin import Application, is_id
from ipcraft.testing import Clock, Organization, make_application, make_organization
from ipcraft.testing.services import Reply, WebhookReceiver
from ipcraft.testing.services.processes import free_port

from .dispatching import Dispatching, event

PATH = "/api/v1/webhooks"
BODY = {
    "url": "https://example.com/webhooks/ipcraft",
    "description": "CMDB sync",
    "event_types": ["subnet.created", "subnet.deleted"],
}
SHOWN = {
    "id",
    "url",
    "description",
    "event_types",
    "is_active",
    "failure_count",
    "disabled_reason",
    "created_at",
    "updated_at",
}

Make = Callable[..., Organization]


@pytest.fixture
def make(database_url: str) -> Iterator[Make]:
    """Give a way to make an organization of an application with settings."""
    made: list[Application] = []

    def make(**settings: object) -> Organization:
        made.append(make_application(database_url, settings=settings))
        return make_organization(made[-1])

    yield make
    for app in made:
        app.close()


def create(organization: Organization, **fields: object) -> dict[str, Any]:
    """Create a webhook."""
    answer = organization.client.post(PATH, json={**BODY, **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json
    return made


def refused(organization: Organization, **fields: object) -> dict[str, Any]:
    """Give the refusal of a webhook."""
    answer = organization.client.post(PATH, json={**BODY, **fields})
    assert answer.status_code == 400, answer.text
    body: dict[str, Any] = answer.json
    return body


def test_a_webhook_is_made_and_its_secret_shown_once(organization: Organization) -> None:
    """The secret is in the answer to the creation, and in no other."""
    made = create(organization)
    assert is_id(made["id"], "wh")
    assert re.fullmatch("whsec_[0-9a-f]{64}", made["secret"])
    assert set(made) == SHOWN | {"secret"}
    assert {name: made[name] for name in BODY} == BODY
    assert (made["is_active"], made["failure_count"]) == (True, 0)
    path = f"{PATH}/{made['id']}"
    client = organization.client
    answers = [client.get(PATH), client.get(path), client.patch(path, json={"description": "x"})]
    assert all(made["secret"] not in answer.text for answer in answers)
    assert [set(answer.json) for answer in answers[1:]] == [SHOWN, SHOWN]


def test_only_a_url_is_needed(organization: Organization) -> None:
    """A webhook with a URL alone is told of everything."""
    answer = organization.client.post(PATH, json={"url": "https://example.com/"})
    assert answer.status_code == 201
    assert (answer.json["event_types"], answer.json["description"]) == ([], None)


def test_webhooks_are_listed_the_newest_first(organization: Organization) -> None:
    """The list has every webhook; a page is counted."""
    made = [create(organization, description=str(number))["id"] for number in range(3)]
    assert [each["id"] for each in organization.client.get(PATH).json] == made[::-1]
    answer = organization.client.get(PATH, params={"limit": 1, "offset": 1})
    assert [each["id"] for each in answer.json] == [made[1]]
    assert answer.headers["X-Total-Count"] == "3"


def test_a_webhook_is_changed(organization: Organization, clock: Clock) -> None:
    """Only what is given changes."""
    made = create(organization)
    clock.advance(hours=1)
    changes = {"url": "https://new.example.com/hook", "event_types": ["address.created"]}
    answer = organization.client.patch(f"{PATH}/{made['id']}", json=changes)
    assert answer.status_code == 200
    del made["secret"]
    assert answer.json == {**made, **changes, "updated_at": "2027-01-15T09:00:00Z"}
    assert organization.client.get(f"{PATH}/{made['id']}").json == answer.json


def test_a_description_is_cleared_with_null(organization: Organization) -> None:
    """Null clears what is optional."""
    made = create(organization)
    answer = organization.client.patch(f"{PATH}/{made['id']}", json={"description": None})
    assert answer.json["description"] is None


@pytest.mark.parametrize("name", ["url", "event_types", "is_active"])
def test_what_is_not_optional_cannot_be_null(organization: Organization, name: str) -> None:
    """A URL, types and a state there always are."""
    made = create(organization)
    answer = organization.client.patch(f"{PATH}/{made['id']}", json={name: None})
    assert answer.status_code == 400
    assert name in answer.json["fields"]


def test_a_deleted_webhook_is_gone(organization: Organization) -> None:
    """It is found no more, by nothing that names it."""
    made = create(organization)
    path = f"{PATH}/{made['id']}"
    client = organization.client
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404
    assert client.patch(path, json={"is_active": True}).status_code == 404
    assert client.delete(path).status_code == 404
    for rest in ("test", "rotate-secret", "deliveries/del_01h455vb4pex5vsknk084sn02q/redeliver"):
        assert client.post(f"{path}/{rest}").status_code == 404
    assert client.get(f"{path}/deliveries").status_code == 404


@pytest.mark.parametrize("webhook_id", ["wh_1", "sub_01h455vb4pex5vsknk084sn02q", "%00", "wh_"])
def test_what_is_no_id_is_not_found(organization: Organization, webhook_id: str) -> None:
    """A malformed id is one that does not exist."""
    assert organization.client.get(f"{PATH}/{webhook_id}").status_code == 404


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://example.com/", "does not begin with http"),
        ("example.com", "does not begin with http"),
        ("https://", "no host"),
        ("https://user:password@example.com/", "user name"),
        ("https://10.0.0.1/", "not globally reachable"),
        ("https://[::1]/", "not globally reachable"),
        ("https://169.254.169.254/latest/meta-data", "not globally reachable"),
        ("https://0x7f.1/", ""),
        ("https://exa mple.com/", "blank"),
        ("https://example.com/\u0000", ""),
        ("", ""),
        ("https://example.com/" + "a" * 2_048, "length"),
    ],
)
def test_a_url_that_nothing_can_be_sent_to_is_refused(make: Make, url: str, reason: str) -> None:
    """Whoever makes a webhook learns at once that its URL is of no use."""
    body = refused(make(), url=url)
    assert reason in body["error"]
    assert "url" in body.get("fields", {"url": []})


def test_a_public_installation_wants_https(make: Make) -> None:
    """Where the public URL is https, so are those of webhooks; our own network may have http."""
    organization = make(public_url="https://ipcraft.example.com", allowed_networks=["10.0.0.0/8"])
    body = refused(organization, url="http://example.com/")
    assert body["error"] == "url cannot be used: the URL does not begin with https://"
    assert body["code"] == "bad_url"
    create(organization, url="HTTPS://example.com/")
    create(organization, url="http://10.1.2.3:8080/")
    refused(organization, url="http://cmdb.internal/")


@pytest.mark.parametrize("public_url", [None, "http://ipcraft.internal"])
def test_elsewhere_http_is_good_enough(make: Make, public_url: str | None) -> None:
    """Who is served by http is told by http."""
    create(make(public_url=public_url), url="http://example.com/")


@pytest.mark.parametrize(
    ("types", "complaint"),
    [
        (
            ["subnet.create"],
            'there is no event type "subnet.create"; did you mean "subnet.created"?',
        ),
        (["user.created"], 'there is no event type "user.created"'),
        (["*"], 'there is no event type "*"'),
        (["a" * 101], "longer"),
        ("subnet.created", "list"),
        ([5], "string"),
    ],
)
def test_an_unknown_event_type_is_refused(
    organization: Organization, types: object, complaint: str
) -> None:
    """A type that does not exist, or that no webhook is told of, is named."""
    assert complaint in refused(organization, event_types=types)["error"]


def test_every_documented_type_can_be_subscribed(organization: Organization) -> None:
    """Repetitions are one; ping can be named, though it is sent whenever it is asked for."""
    types = [
        f"{resource}.{verb}"
        for resource in ("folder", "subnet", "address")
        for verb in ("created", "updated", "deleted")
    ]
    made = create(organization, event_types=[*types, "ping", *types])
    assert made["event_types"] == [*types, "ping"]


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_below_the_admin_nobody_manages_webhooks(
    application: Application, organization: Organization, role: str
) -> None:
    """Viewers and editors see webhooks and change nothing about them."""
    path = f"{PATH}/{create(organization)['id']}"
    client = organization.client_as(application, role)
    refusals = [
        client.post(PATH, json=BODY),
        client.patch(path, json={"is_active": False}),
        client.delete(path),
        client.post(f"{path}/test"),
        client.post(f"{path}/rotate-secret"),
        client.post(f"{path}/deliveries/del_01h455vb4pex5vsknk084sn02q/redeliver"),
    ]
    assert {answer.status_code for answer in refusals} == {403}
    reads = [client.get(PATH), client.get(path), client.get(f"{path}/deliveries")]
    assert {answer.status_code for answer in reads} == {200}


def test_an_admin_manages_webhooks(application: Application, organization: Organization) -> None:
    """An admin may do what an owner may."""
    client = organization.client_as(application, "admin")
    made = client.post(PATH, json=BODY)
    assert made.status_code == 201
    assert client.delete(f"{PATH}/{made.json['id']}").status_code == 204


def test_every_change_is_in_the_activity(organization: Organization) -> None:
    """One entry for each change, by whom it was; a change of nothing leaves none."""
    made = create(organization)
    path = f"{PATH}/{made['id']}"
    organization.client.patch(path, json={"description": "Mirror"})
    organization.client.patch(path, json={"description": "Mirror"})
    organization.client.post(f"{path}/rotate-secret")
    organization.client.delete(path)
    activity = organization.client.get("/api/v1/activity").json
    entries = [each for each in activity if each["resource_type"] == "webhook"]
    assert [(each["action"], each["details"].split(" ")[0]) for each in reversed(entries)] == [
        ("webhook.created", "Created"),
        ("webhook.updated", "Updated"),
        ("webhook.updated", "Rotated"),
        ("webhook.deleted", "Deleted"),
    ]
    assert entries[2]["before"] == {"description": "CMDB sync"}
    assert entries[2]["after"] == {"description": "Mirror"}
    assert entries[0]["before"]["url"] == BODY["url"]
    assert {each["user_id"] for each in entries} == {organization.user_id}
    assert {each["resource_id"] for each in entries} == {made["id"]}


def test_a_ping_tells_how_the_endpoint_answers(
    organization: Organization, receiver: WebhookReceiver
) -> None:
    """The result of the delivery is answered, and is in the log."""
    made = create(organization, url=receiver.url)
    receiver.trust(made["secret"])
    answer = organization.client.post(f"{PATH}/{made['id']}/test")
    assert answer.status_code == 200
    assert answer.json["event_type"] == "ping"
    assert (answer.json["response_status"], answer.json["attempt"]) == (200, 1)
    (delivered,) = receiver.taken
    assert delivered.event["event"] == "ping"
    assert delivered.event["resource_id"] == made["id"]
    assert delivered.id == answer.json["event_id"]
    assert organization.client.get(f"{PATH}/{made['id']}/deliveries").json == [answer.json]


@pytest.mark.parametrize("reply", [Reply(status=500), Reply(status=410), Reply(manner="reset")])
def test_a_ping_that_fails_is_a_502(
    organization: Organization, receiver: WebhookReceiver, reply: Reply
) -> None:
    """Whatever but 2xx comes, the answer says so; the webhook stays as it is."""
    made = create(organization, url=receiver.url)
    receiver.reply = reply
    answer = organization.client.post(f"{PATH}/{made['id']}/test")
    assert answer.status_code == 502
    assert answer.json["code"] == "webhook_failed"
    shown = organization.client.get(f"{PATH}/{made['id']}").json
    assert (shown["is_active"], shown["failure_count"]) == (True, 0)
    assert len(organization.client.get(f"{PATH}/{made['id']}/deliveries").json) == 1


def test_a_ping_to_nobody_is_a_502(organization: Organization) -> None:
    """Where nobody listens the answer says that."""
    made = create(organization, url=f"http://127.0.0.1:{free_port()}/")
    answer = organization.client.post(f"{PATH}/{made['id']}/test")
    assert answer.status_code == 502
    assert answer.json["error"].startswith("The endpoint cannot be reached: ")


def test_a_ping_can_be_sent_again(
    organization: Organization, receiver: WebhookReceiver, dispatching: Dispatching
) -> None:
    """What is in the log can be sent again, a ping too."""
    made = create(organization, url=receiver.url)
    sent = organization.client.post(f"{PATH}/{made['id']}/test").json
    path = f"{PATH}/{made['id']}/deliveries/{sent['id']}/redeliver"
    assert organization.client.post(path).status_code == 202
    dispatching.run()
    assert len({each.body for each in receiver.taken}) == 1
    assert len(receiver.taken) == 2


def test_nothing_is_sent_again_to_a_webhook_that_is_off(
    organization: Organization, receiver: WebhookReceiver
) -> None:
    """It has to be switched on before."""
    made = create(organization, url=receiver.url)
    path = f"{PATH}/{made['id']}"
    sent = organization.client.post(f"{path}/test").json
    organization.client.patch(path, json={"is_active": False})
    answer = organization.client.post(f"{path}/deliveries/{sent['id']}/redeliver")
    assert (answer.status_code, answer.json["code"]) == (400, "webhook_inactive")


def test_a_delivery_of_another_webhook_is_not_found(
    organization: Organization, receiver: WebhookReceiver
) -> None:
    """A delivery is found under its own webhook only."""
    first, second = create(organization, url=receiver.url), create(organization)
    sent = organization.client.post(f"{PATH}/{first['id']}/test").json
    path = f"{PATH}/{second['id']}/deliveries/{sent['id']}/redeliver"
    answer = organization.client.post(path)
    assert (answer.status_code, answer.json["error"]) == (404, "There is no delivery with this id")


@pytest.mark.parametrize("overlap", [-1, 7 * 86_400 + 1, "60", 1.5, None, True])
def test_a_bad_overlap_is_refused(organization: Organization, overlap: object) -> None:
    """An overlap is from none to a week."""
    path = f"{PATH}/{create(organization)['id']}/rotate-secret"
    answer = organization.client.post(path, json={"overlap_seconds": overlap})
    assert answer.status_code == 400
    assert "overlap_seconds" in answer.json["fields"]


def test_the_log_has_pages_of_50_and_at_most_200(
    organization: Organization, receiver: WebhookReceiver, dispatching: Dispatching, clock: Clock
) -> None:
    """The newest come first; more than 200 cannot be asked for at once."""
    made = create(organization, url=receiver.url, event_types=[])
    for _ in range(3):
        dispatching.tell_and_run(*(event(organization) for _ in range(25)))
        clock.advance(seconds=10)
    path = f"{PATH}/{made['id']}/deliveries"
    whole = organization.client.get(path, params={"limit": 200})
    assert whole.headers["X-Total-Count"] == "75"
    times = [each["delivered_at"] for each in whole.json]
    assert times == sorted(times, reverse=True)
    assert organization.client.get(path).json == whole.json[:50]
    page = organization.client.get(path, params={"limit": 10, "offset": 70})
    assert page.json == whole.json[70:]
    assert organization.client.get(path, params={"limit": 201}).status_code == 400


def test_a_free_plan_has_webhooks(application: Application) -> None:
    """No plan counts webhooks."""
    organization = make_organization(application, plan="free")
    browser = organization.browser(application)
    made = [browser.post(PATH, json={**BODY, "description": str(n)}) for n in range(8)]
    assert {answer.status_code for answer in made} == {201}
