"""What is done for webhooks beside their deliveries: mail to admins, and forgetting."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ipcraft.plugin import Application, Unavailable
from ipcraft.testing import Clock, Organization, make_application, make_organization
from ipcraft.testing.services import MailSink, Reply, WebhookReceiver
from ipcraft_accounts import create_user

from .dispatching import Dispatching, event

PATH = "/api/v1/webhooks"
DAY_HOURS = 24


@pytest.fixture
def sink() -> Iterator[MailSink]:
    """Give an SMTP server."""
    with MailSink() as sink:
        yield sink


@pytest.fixture
def application(database_url: str, clock: Clock, sink: MailSink) -> Iterator[Application]:
    """Give an application that mails."""
    settings = {
        "allowed_networks": ["127.0.0.0/8"],
        "smtp_url": sink.url,
        "mail_from": "ipcraft@example.com",
    }
    app = make_application(database_url, settings=settings, clock=clock)
    yield app
    app.close()


def disabled(
    organization: Organization, receiver: WebhookReceiver, dispatching: Dispatching
) -> str:
    """Give the id of a webhook that was disabled because its receiver is gone."""
    webhook: str = organization.client.post(PATH, json={"url": receiver.url}).json["id"]
    receiver.replies.append(Reply(status=410))
    dispatching.tell_and_run(event(organization))
    return webhook


def test_admins_are_told_of_a_webhook_that_was_disabled(
    application: Application,
    organization: Organization,
    receiver: WebhookReceiver,
    dispatching: Dispatching,
    sink: MailSink,
) -> None:
    """Owners and admins get one mail that names the URL and the reason; nobody else does."""
    for role in ("admin", "editor", "viewer"):
        create_user(application.storage, organization.id, email=f"{role}@example.com", role=role)
    make_organization(application)
    webhook = disabled(organization, receiver, dispatching)
    mails = sink.wait_for(2)
    recipients = {each.recipients for each in mails}
    assert recipients == {(organization.email,), ("admin@example.com",)}
    for mail in mails:
        assert mail.message["Subject"] == "A webhook was disabled"
        assert webhook in mail.text
        assert receiver.url in mail.text
        assert "because it answered 410 Gone" in " ".join(mail.text.split())


def test_a_notice_is_mailed_later_when_it_cannot_be_now(
    application: Application,
    organization: Organization,
    receiver: WebhookReceiver,
    dispatching: Dispatching,
    sink: MailSink,
) -> None:
    """A mail server that is down delays the mail; the job is tried again."""
    sink.stop()
    webhook = disabled(organization, receiver, dispatching)
    payload = {
        "organization_id": organization.id,
        "webhook_id": webhook,
        "user_id": organization.user_id,
    }
    notice = application.jobs["webhooks.notice"]
    with pytest.raises(Unavailable):
        notice.run(payload)
    assert notice.retries.attempts == 60
    sink.resume()
    notice.run(payload)
    assert sink.wait_for(1)[0].recipients == (organization.email,)


@pytest.mark.parametrize("meanwhile", ["enabled", "deleted"])
def test_a_notice_that_is_out_of_date_is_not_mailed(
    application: Application,
    organization: Organization,
    receiver: WebhookReceiver,
    dispatching: Dispatching,
    sink: MailSink,
    meanwhile: str,
) -> None:
    """Who has mended the webhook before the mail went out needs none."""
    sink.stop()
    webhook = disabled(organization, receiver, dispatching)
    path = f"{PATH}/{webhook}"
    if meanwhile == "enabled":
        organization.client.patch(path, json={"is_active": True})
    else:
        organization.client.delete(path)
    payload = {
        "organization_id": organization.id,
        "webhook_id": webhook,
        "user_id": organization.user_id,
    }
    application.jobs["webhooks.notice"].run(payload)
    sink.resume()
    assert sink.mails == []


def test_the_log_is_kept_for_30_days(
    application: Application,
    organization: Organization,
    receiver: WebhookReceiver,
    dispatching: Dispatching,
    clock: Clock,
) -> None:
    """What is older is forgotten by a job; what waits for its time stays."""
    webhook = organization.client.post(PATH, json={"url": receiver.url}).json["id"]
    path = f"{PATH}/{webhook}/deliveries"
    dispatching.tell_and_run(event(organization))
    clock.advance(hours=29 * DAY_HOURS)
    receiver.replies.append(Reply(status=500))
    dispatching.tell_and_run(event(organization))
    clock.advance(hours=DAY_HOURS, seconds=-1)
    application.jobs["webhooks.tidy"].run({})
    assert len(organization.client.get(path).json) == 2
    clock.advance(seconds=2)
    application.jobs["webhooks.tidy"].run({})
    assert [each["response_status"] for each in organization.client.get(path).json] == [500]
    dispatching.run()
    assert len(receiver.taken) == 3


def test_forgetting_is_scheduled(application: Application) -> None:
    """Nobody has to order it."""
    assert application.jobs["webhooks.tidy"].every == 3600


def test_an_organization_is_erased_with_its_webhooks(
    application: Application,
    organization: Organization,
    receiver: WebhookReceiver,
    dispatching: Dispatching,
) -> None:
    """Nothing refers to what is gone, and nothing is sent for it."""
    organization.client.post(PATH, json={"url": receiver.url})
    dispatching.tell_and_run(event(organization))
    dispatching.tell(event(organization))
    application.storage.transact(organization.id, application.erase)
    dispatching.run()
    assert len(receiver.taken) == 1
