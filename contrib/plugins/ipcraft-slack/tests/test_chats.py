"""What arrives in a chat when something changes, and when the chat is not well."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import requests

from ipcraft.plugin import Application, StartError
from ipcraft.testing import (
    Client,
    Clock,
    Organization,
    Served,
    make_application,
    make_organization,
    take_events,
)
from ipcraft.testing.services import Delivered, Reply, WebhookReceiver

from .conftest import Open

LONG = "x" * 200


def test_what_happens_together_is_one_message(
    application: Application, organization: Organization, chat: WebhookReceiver
) -> None:
    """A line for each change, in their order, as Slack's incoming webhooks want it."""
    client = Client(application, organization.key)
    client.post("/api/v1/subnets", json={"network": "10.0.0.0/24"})
    subnet = client.post("/api/v1/subnets", json={"network": "10.0.1.0/24"}).json
    client.delete(f"/api/v1/subnets/{subnet['id']}")
    take_events(application)
    (message,) = chat.taken
    assert message.headers["content-type"] == "application/json; charset=utf-8"
    assert message.event == {
        "text": "• Created subnet 10.0.0.0/24\n"
        "• Created subnet 10.0.1.0/24\n"
        "• Deleted subnet 10.0.1.0/24 with 0 addresses",
        "mrkdwn": False,
        "unfurl_links": False,
        "unfurl_media": False,
    }


def test_only_what_is_wanted_is_said(
    open_with: Open, organization: Organization, chat: WebhookReceiver
) -> None:
    """A pattern chooses event types."""
    app = open_with({organization.id: chat.url}, event_types=["subnet.*", "folder.deleted"])
    client = Client(app, organization.key)
    folder = client.post("/api/v1/sections", json={"name": "Lab"}).json
    client.post("/api/v1/subnets", json={"network": "10.0.0.0/24"})
    client.delete(f"/api/v1/sections/{folder['id']}")
    take_events(app)
    assert lines(chat) == ["• Created subnet 10.0.0.0/24", "• Deleted folder Lab"]


@pytest.mark.parametrize(("types", "said"), [(["*"], 0), (["*", "api_key.*"], 1)])
def test_people_and_keys_are_said_on_demand(
    open_with: Open,
    organization: Organization,
    chat: WebhookReceiver,
    types: list[str],
    said: int,
) -> None:
    """What is about the organization itself is not in `*`."""
    app = open_with({organization.id: chat.url}, event_types=types)
    key = {"name": "CI", "role": "viewer"}
    assert Client(app, organization.key).post("/api/v1/api-keys", json=key).status_code == 201
    take_events(app)
    assert len(chat.taken) == said


def test_nothing_wanted_is_no_message(
    open_with: Open, organization: Organization, chat: WebhookReceiver
) -> None:
    """An empty message is none."""
    app = open_with({organization.id: chat.url}, event_types=["subnet.deleted"])
    Client(app, organization.key).post("/api/v1/subnets", json={"network": "10.0.0.0/24"})
    take_events(app)
    assert chat.taken == []


def test_an_organization_hears_of_itself_alone(
    open_with: Open, organization: Organization, chat: WebhookReceiver
) -> None:
    """Each has its own chat, and one without a chat is said nowhere."""
    other = make_organization(open_with({organization.id: chat.url}))
    app = open_with({organization.id: f"{chat.url}one", other.id: f"{chat.url}other"})
    silent = make_organization(app)
    for number, each in enumerate((organization, other, silent)):
        client = Client(app, each.key)
        client.post("/api/v1/subnets", json={"network": f"10.0.{number}.0/24"})
    take_events(app)
    assert {each.path: each.event["text"] for each in chat.taken} == {
        "/one": "• Created subnet 10.0.0.0/24",
        "/other": "• Created subnet 10.0.1.0/24",
    }


def test_a_name_calls_nobody(
    application: Application, organization: Organization, chat: WebhookReceiver
) -> None:
    """What people write is shown, and has no effect."""
    client = Client(application, organization.key)
    client.post("/api/v1/sections", json={"name": "<!channel> @here & co"})
    take_events(application)
    assert lines(chat) == ["• Created folder &lt;!channel&gt; @\N{ZERO WIDTH SPACE}here &amp; co"]


def test_a_chat_that_is_told_too_much_says_when_to_go_on(
    application: Application, organization: Organization, chat: WebhookReceiver, clock: Clock
) -> None:
    """429 with Retry-After: not before that, then what had not been posted, and nothing twice."""
    names = rename(application, organization, 100)
    busy = Reply(status=429, headers={"Retry-After": "30"})
    chat.replies.extend([Reply(), busy, busy])
    take_events(application)
    assert len(chat.taken) == 2
    clock.advance(seconds=29)
    take_events(application)
    assert len(chat.taken) == 2
    clock.advance(seconds=1)
    take_events(application)
    clock.advance(seconds=30)
    take_events(application)
    accepted = [chat.taken[0], *chat.taken[3:]]
    assert lines(*accepted) == names
    assert [each.body for each in chat.taken[1:4]] == [chat.taken[1].body] * 3


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=500),
        Reply(status=404, body=b"no_service"),
        Reply(status=302, headers={"Location": "https://example.com/"}),
        Reply(status=429),
        Reply(status=429, headers={"Retry-After": "soon"}),
        Reply(manner="reset"),
        Reply(manner="long_header"),
    ],
    ids=lambda reply: f"{reply.status}-{reply.manner}",
)
def test_a_chat_that_fails_misses_nothing(
    application: Application,
    organization: Organization,
    chat: WebhookReceiver,
    clock: Clock,
    reply: Reply,
) -> None:
    """It is posted again until the chat takes it, what comes meanwhile after it."""
    chat.reply = reply
    client = Client(application, organization.key)
    for third in range(6):
        client.post("/api/v1/subnets", json={"network": f"10.0.{third}.0/24"})
        take_events(application)
        clock.advance(seconds=40)
    chat.reply = Reply()
    before = len(chat.taken)
    assert before >= 6
    take_events(application)
    assert lines(*chat.taken[before:]) == [f"• Created subnet 10.0.{n}.0/24" for n in range(6)]


def test_a_chat_that_fails_now_and_then_misses_nothing(
    application: Application, organization: Organization, chat: WebhookReceiver, clock: Clock
) -> None:
    """Every sentence comes, in order; what was posted and not acknowledged may come twice."""
    names = rename(application, organization, 400)
    manners = [Reply(), Reply(status=503), Reply(manner="reset"), Reply(), Reply(status=429)]
    chat.replies.extend(manners * 4)
    while chat.replies:
        take_events(application)
        clock.advance(seconds=400)
    take_events(application)
    assert list(dict.fromkeys(lines(chat))) == names


def test_a_chat_that_fails_holds_up_no_other(
    open_with: Open, organization: Organization, chat: WebhookReceiver
) -> None:
    """Each organization's events wait for themselves."""
    other = make_organization(open_with({organization.id: chat.url}))
    app = open_with({organization.id: f"{chat.url}down", other.id: f"{chat.url}up"})
    chat.replies_at["/down"] = Reply(status=503)
    for each in (organization, other):
        client = Client(app, each.key)
        client.post("/api/v1/subnets", json={"network": "10.0.0.0/24"})
        client.post("/api/v1/subnets", json={"network": "10.0.1.0/24"})
    take_events(app)
    assert sorted(each.path for each in chat.taken) == ["/down", "/up"]


def test_a_served_process_posts_by_itself(
    database_url: str, organization: Organization, chat: WebhookReceiver, tmp_path: Path
) -> None:
    """As an operator starts it, with the URLs in a file of secrets."""
    secrets = tmp_path / "slack.json"
    secrets.write_text(json.dumps({organization.id: chat.url}))
    environ = {
        "IPCRAFT_PLUGINS_ENABLE": "slack",
        "IPCRAFT_SLACK_URLS_FILE": str(secrets),
        "IPCRAFT_ALLOWED_NETWORKS": "127.0.0.1",
    }
    with Served(database_url, tmp_path, environ=environ) as server:
        answer = requests.post(
            f"{server.url}/api/v1/subnets",
            json={"network": "10.0.0.0/24"},
            headers={"Authorization": f"Bearer {organization.key}"},
            timeout=60,
        )
        assert answer.status_code == 201
        chat.wait_for(1)
    assert lines(chat) == ["• Created subnet 10.0.0.0/24"]


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ({}, "urls (or IPCRAFT_SLACK_URLS): Missing data"),
        ({"urls": {}}, "urls"),
        ({"urls": {"Acme": "https://chat.example/"}}, "Not the id of an organization"),
        ({"urls": {"ORG": "chat.example"}}, "cannot be used"),
        ({"urls": {"ORG": "http://10.0.0.1/T0/SECRET"}}, "10.0.0.1 is not globally reachable"),
        (
            {"urls": {"ORG": "https://chat.example/"}, "event_types": ["subnet.create"]},
            'nothing matches "subnet.create"; did you mean',
        ),
        ({"urls": {"ORG": "https://chat.example/"}, "event_types": []}, "event_types"),
    ],
)
def test_settings_that_make_no_sense_stop_the_start(
    database_url: str, organization: Organization, section: dict[str, object], problem: str
) -> None:
    """The error says what to mend, and nothing that is secret."""
    if isinstance(urls := section.get("urls"), dict):
        section = {
            **section,
            "urls": {
                organization.id if key == "ORG" else key: value for key, value in urls.items()
            },
        }
    with pytest.raises(StartError) as caught:
        make_application(database_url, enable=["slack"], sections={"slack": section})
    assert problem in str(caught.value)
    assert "SECRET" not in str(caught.value)


def rename(app: Application, organization: Organization, number: int) -> list[str]:
    """Make so many folders with names so long that few fit a message; give their lines."""
    client = Client(app, organization.key)
    names = [f"{place:04} {LONG}" for place in range(number)]
    for name in names:
        assert client.post("/api/v1/sections", json={"name": name}).status_code == 201
    return [f"• Created folder {name}" for name in names]


def lines(*messages: Delivered | WebhookReceiver) -> list[str]:
    """Give the lines of messages, or of all that a chat has got."""
    return [
        line
        for each in messages
        for delivered in (each.taken if isinstance(each, WebhookReceiver) else [each])
        for line in delivered.event["text"].split("\n")
    ]
