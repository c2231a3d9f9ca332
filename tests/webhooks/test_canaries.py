"""Secrets of webhooks are made, used and misused, and then looked for wherever they must not be."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog

from ipcraft.logs import configure_logs
from ipcraft.plugin import Application
from ipcraft.testing import Clock, Organization, make_application
from ipcraft.testing.databases import dump
from ipcraft.testing.services import Reply, WebhookReceiver

from .dispatching import Dispatching, event

PATH = "/api/v1/webhooks"


@pytest.fixture(params=["json", "text"])
def application(
    database_url: str, clock: Clock, request: pytest.FixtureRequest
) -> Iterator[Application]:
    """Give an application that logs everything it can."""
    app = make_application(
        database_url, settings={"allowed_networks": ["127.0.0.0/8"]}, clock=clock
    )
    configure_logs(level="debug", form=request.param)
    yield app
    app.close()
    structlog.reset_defaults()


def test_no_dump_and_no_log_shows_a_secret(
    application: Application,
    organization: Organization,
    receiver: WebhookReceiver,
    dispatching: Dispatching,
    database_url: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A secret is shown by the answers that made it, and by nothing else, whatever goes wrong."""
    client = organization.client
    made = client.post(PATH, json={"url": receiver.url}).json
    path = f"{PATH}/{made['id']}"
    rotated = client.post(f"{path}/rotate-secret", json={"overlap_seconds": 60}).json["secret"]
    secrets = [made["secret"], rotated]
    receiver.replies.extend([Reply(status=500), Reply(manner="reset")])
    dispatching.tell_and_run(event(organization), event(organization), event(organization))
    answers = [
        client.post(f"{path}/test"),
        client.get(PATH),
        client.get(path),
        client.get(f"{path}/deliveries"),
        client.get("/api/v1/activity"),
        client.patch(path, json={"description": "x", "secret": rotated}),
        client.post(PATH, json={"url": receiver.url, "description": 5, "secret": rotated}),
        client.get(f"/nowhere/{rotated}"),
        client.get(f"{PATH}/{rotated}"),
    ]
    shown = "".join(answer.text for answer in answers) + dump(database_url)
    output = capfd.readouterr()
    for secret in secrets:
        digits = secret.removeprefix("whsec_")
        assert digits not in shown
        assert digits not in output.out + output.err
        assert repr(secret) not in repr(dispatching.dispatcher)


def test_with_another_secret_key_nothing_is_signed(
    organization: Organization,
    receiver: WebhookReceiver,
    database_url: str,
    clock: Clock,
) -> None:
    """Who lost the key sends nothing unsigned: the log says why, until the secret is rotated."""
    made = organization.client.post(PATH, json={"url": receiver.url}).json
    path = f"{PATH}/{made['id']}"
    app = make_application(
        database_url,
        settings={
            "allowed_networks": ["127.0.0.0/8"],
            "secret_key": "another key of 32 characters!!!!",
        },
        clock=clock,
    )
    dispatching = Dispatching(app)
    dispatching.tell_and_run(event(organization))
    assert receiver.taken == []
    (entry,) = organization.client.get(f"{path}/deliveries").json
    assert "another secret key" in entry["error"]
    dispatching.close()
    app.close()
