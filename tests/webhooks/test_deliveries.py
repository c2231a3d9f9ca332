"""Events on their way to webhooks, step by step."""

from __future__ import annotations

from typing import Any

import pytest

from ipcraft.plugin import Application, Storage, Unavailable, is_id
from ipcraft.testing import Clock, Organization, make_organization
from ipcraft.testing.services import Reply, WebhookReceiver

from .dispatching import Dispatching, event

PATH = "/api/v1/webhooks"


def subscribe(
    organization: Organization, receiver: WebhookReceiver, *types: str, path: str = ""
) -> dict[str, Any]:
    """Make a webhook that leads to the receiver, and let the receiver trust it."""
    body = {"url": receiver.url + path, "event_types": list(types)}
    answer = organization.client.post(PATH, json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json
    receiver.trust(made["secret"])
    return made


def log(organization: Organization, webhook: dict[str, Any]) -> list[dict[str, Any]]:
    """Give what the log of deliveries shows."""
    answer = organization.client.get(f"{PATH}/{webhook['id']}/deliveries")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json
    return found


def test_a_webhook_is_told_of_an_event(
    organization: Organization, receiver: WebhookReceiver, dispatching: Dispatching
) -> None:
    """The body is the documented one and what we add; both signatures verify."""
    webhook = subscribe(organization, receiver)
    told = event(organization)
    dispatching.tell_and_run(told)
    (delivered,) = receiver.taken
    assert delivered.event == {
        "event": "subnet.created",
        "resource_type": "subnet",
        "resource_id": told.resource_id,
        "timestamp": "2027-01-15T08:00:00Z",
        "data": {"label": "10.0.0.0/24", "name": "Web servers"},
        "id": told.id,
        "organization_id": organization.id,
        "actor": organization.user_id,
        "sequence": told.sequence,
    }
    assert delivered.id == told.id
    assert delivered.headers["content-type"] == "application/json"
    assert delivered.is_signed_with(webhook["secret"], now=1_800_000_000)


def test_a_delivery_is_logged(
    organization: Organization, receiver: WebhookReceiver, dispatching: Dispatching
) -> None:
    """The log shows what was answered, how long it took, and which attempt it was."""
    webhook = subscribe(organization, receiver)
    receiver.reply = Reply(status=202, body=b"thank you")
    told = event(organization)
    dispatching.tell_and_run(told)
    (entry,) = log(organization, webhook)
    assert is_id(entry.pop("id"), "del")
    assert 0 <= entry.pop("duration_ms") < 5_000
    assert entry == {
        "event_type": "subnet.created",
        "event_id": told.id,
        "response_status": 202,
        "attempt": 1,
        "delivered_at": "2027-01-15T08:00:00Z",
        "response_body": "thank you",
        "error": None,
        "next_attempt_at": None,
    }


def test_only_the_types_that_are_wanted_are_told(
    organization: Organization, receiver: WebhookReceiver, dispatching: Dispatching
) -> None:
    """A webhook gets the types it names; one that names none gets all."""
    subscribe(organization, receiver, "subnet.deleted", "address.created", path="some")
    subscribe(organization, receiver, path="all")
    types = ["subnet.created", "subnet.deleted", "address.created", "folder.updated"]
    dispatching.tell_and_run(*(event(organization, each) for each in types))
    told = sorted((each.path, each.event["event"]) for each in receiver.taken)
    assert told == sorted(
        [("/some", "subnet.deleted"), ("/some", "address.created")]
        + [("/all", each) for each in types]
    )


@pytest.mark.parametrize("type_", ["user.created", "api_key.created", "webhook.updated"])
def test_what_is_internal_is_not_told(
    organization: Organization, receiver: WebhookReceiver, dispatching: Dispatching, type_: str
) -> None:
    """Nobody outside is told of people, keys and webhooks."""
    subscribe(organization, receiver)
    dispatching.tell_and_run(event(organization, type_))
    assert receiver.taken == []


def test_nobody_is_told_of_another_organizations_events(
    application: Application,
    organization: Organization,
    receiver: WebhookReceiver,
    dispatching: Dispatching,
) -> None:
    """Events go to the webhooks of their own organization."""
    subscribe(organization, receiver, path="mine")
    other = make_organization(application)
    subscribe(other, receiver, path="other")
    dispatching.tell_and_run(event(other))
    assert [each.path for each in receiver.taken] == ["/other"]


def test_an_event_that_comes_again_is_told_once(
    organization: Organization, receiver: WebhookReceiver, dispatching: Dispatching
) -> None:
    """Who hands events over may do so twice; after the delivery, too."""
    subscribe(organization, receiver)
    first, second = event(organization), event(organization)
    dispatching.tell(first)
    dispatching.tell_and_run(first, second)
    dispatching.tell_and_run(first, second)
    assert sorted(each.id for each in receiver.taken) == sorted([first.id, second.id])


def test_a_failed_delivery_is_tried_again_with_the_same_id(
    organization: Organization, receiver: WebhookReceiver, dispatching: Dispatching, clock: Clock
) -> None:
    """After 5 seconds and 5 minutes it is sent again, the same body; the log has each attempt."""
    webhook = subscribe(organization, receiver)
    receiver.replies.extend([Reply(status=500), Reply(manner="reset")])
    assert dispatching.tell_and_run(event(organization)) <= 1.0
    clock.advance(seconds=4)
    dispatching.run()
    assert len(receiver.taken) == 1
    clock.advance(seconds=1)
    dispatching.run()
    clock.advance(seconds=300)
    dispatching.run()
    clock.advance(hours=100)
    dispatching.run()
    assert len({each.id for each in receiver.taken}) == 1
    assert len({each.body for each in receiver.taken}) == 1
    assert len(receiver.taken) == 3
    entries = [
        (each["attempt"], each["response_status"], each["next_attempt_at"])
        for each in log(organization, webhook)
    ]
    assert entries == [
        (3, 200, None),
        (2, None, "2027-01-15T08:05:05Z"),
        (1, 500, "2027-01-15T08:00:05Z"),
    ]
    assert "reset" in log(organization, webhook)[1]["error"]


def test_ten_attempts_are_made_in_75_hours(
    organization: Organization, receiver: WebhookReceiver, dispatching: Dispatching, clock: Clock
) -> None:
    """After the tenth attempt an event is given up, and the log says that none follows."""
    webhook = subscribe(organization, receiver)
    receiver.reply = Reply(status=503)
    dispatching.tell_and_run(event(organization))
    for _ in range(80):
        clock.advance(hours=1)
        dispatching.run()
    assert len(receiver.taken) == 10
    entries = log(organization, webhook)
    assert [each["attempt"] for each in entries] == list(range(10, 0, -1))
    assert [each["next_attempt_at"] is None for each in entries] == [True] + [False] * 9
    assert organization.client.get(f"{PATH}/{webhook['id']}").json["failure_count"] == 10


def test_a_redirection_is_a_failure(
    organization: Organization, receiver: WebhookReceiver, dispatching: Dispatching
) -> None:
    """Nobody is followed anywhere."""
    webhook = subscribe(organization, receiver)
    receiver.replies.append(Reply(status=307, headers={"Location": f"{receiver.url}elsewhere"}))
    dispatching.tell_and_run(event(organization))
    assert [each.path for each in receiver.taken] == ["/"]
    assert log(organization, webhook)[0]["response_status"] == 307


def test_retry_after_is_honoured(
    organization: Organization, receiver: WebhookReceiver, dispatching: Dispatching, clock: Clock
) -> None:
    """A receiver that asks for a minute gets it, in place of 5 seconds."""
    webhook = subscribe(organization, receiver)
    receiver.replies.append(Reply(status=429, headers={"Retry-After": "60"}))
    dispatching.tell_and_run(event(organization))
    assert log(organization, webhook)[0]["next_attempt_at"] == "2027-01-15T08:01:00Z"
    clock.advance(seconds=59)
    dispatching.run()
    assert len(receiver.taken) == 1
    clock.advance(seconds=1)
    dispatching.run()
    assert len(receiver.taken) == 2


def test_410_disables_at_once(
    organization: Organization, receiver: WebhookReceiver, dispatching: Dispatching, clock: Clock
) -> None:
    """A receiver that is gone for good is sent nothing more, nor what waited for it."""
    webhook = subscribe(organization, receiver)
    receiver.replies.append(Reply(status=500))
    dispatching.tell_and_run(event(organization))
    receiver.replies.append(Reply(status=410))
    dispatching.tell_and_run(event(organization))
    shown = organization.client.get(f"{PATH}/{webhook['id']}").json
    assert (shown["is_active"], shown["disabled_reason"]) == (False, "it answered 410 Gone")
    clock.advance(hours=100)
    dispatching.tell_and_run(event(organization))
    assert len(receiver.taken) == 2
    assert [each["response_status"] for each in log(organization, webhook)] == [410, 500]


def test_a_hundred_failures_in_a_row_disable(
    organization: Organization, receiver: WebhookReceiver, dispatching: Dispatching
) -> None:
    """99 failures and a success count for nothing; 100 without one disable."""
    webhook = subscribe(organization, receiver)
    path = f"{PATH}/{webhook['id']}"
    for status in [500] * 99 + [200] + [500] * 99:
        receiver.reply = Reply(status=status)
        dispatching.tell_and_run(event(organization))
    shown = organization.client.get(path).json
    assert (shown["is_active"], shown["failure_count"]) == (True, 99)
    dispatching.tell_and_run(event(organization))
    shown = organization.client.get(path).json
    assert (shown["is_active"], shown["failure_count"]) == (False, 100)
    assert shown["disabled_reason"] == "100 attempts in a row failed"
    activity = organization.client.get("/api/v1/activity").json
    (entry,) = [each for each in activity if "Disabled" in each["details"]]
    assert entry["resource_id"] == webhook["id"]
    assert entry["user_id"] is None


def test_a_disabled_webhook_is_enabled_again(
    organization: Organization, receiver: WebhookReceiver, dispatching: Dispatching, clock: Clock
) -> None:
    """Its failures are forgotten; it gets what happens from now on, and nothing of before."""
    webhook = subscribe(organization, receiver)
    receiver.replies.extend([Reply(status=500), Reply(status=410)])
    dispatching.tell_and_run(event(organization))
    dispatching.tell_and_run(event(organization))
    missed, later = event(organization), event(organization)
    dispatching.tell_and_run(missed)
    answer = organization.client.patch(f"{PATH}/{webhook['id']}", json={"is_active": True})
    assert answer.status_code == 200
    shown = answer.json
    assert (shown["is_active"], shown["failure_count"], shown["disabled_reason"]) == (True, 0, None)
    clock.advance(hours=100)
    dispatching.tell_and_run(later)
    assert [each.id for each in receiver.taken[2:]] == [later.id]


@pytest.mark.parametrize("how", ["deleted", "switched off"])
def test_nothing_more_is_sent_where_nobody_wants_it(
    organization: Organization,
    receiver: WebhookReceiver,
    dispatching: Dispatching,
    clock: Clock,
    how: str,
) -> None:
    """What waits for a webhook is not sent any more once it is deleted or switched off."""
    webhook = subscribe(organization, receiver)
    receiver.replies.append(Reply(status=500))
    dispatching.tell_and_run(event(organization))
    path = f"{PATH}/{webhook['id']}"
    if how == "deleted":
        assert organization.client.delete(path).status_code == 204
        assert organization.client.get(f"{path}/deliveries").status_code == 404
    else:
        assert organization.client.patch(path, json={"is_active": False}).status_code == 200
    clock.advance(hours=1)
    dispatching.tell_and_run(event(organization))
    assert len(receiver.taken) == 1


def test_what_a_dead_process_took_is_due_again(
    application: Application,
    organization: Organization,
    receiver: WebhookReceiver,
    dispatching: Dispatching,
    clock: Clock,
) -> None:
    """What was taken and not settled is made by another process when the lease ends."""
    subscribe(organization, receiver)
    dispatching.tell(event(organization))
    dead = Dispatching(application)
    dead.dispatcher.run()
    receiver.wait_for(1)
    dispatching.run()
    assert len(receiver.taken) == 1
    clock.advance(seconds=61)
    dispatching.run()
    assert len({each.id for each in receiver.taken}) == 1
    assert len(receiver.taken) == 2


def test_an_orderly_end_leaves_nothing_waiting(
    application: Application,
    organization: Organization,
    receiver: WebhookReceiver,
    dispatching: Dispatching,
) -> None:
    """A process that ends settles what it has sent and gives back what it has not."""
    webhook = subscribe(organization, receiver)
    events = [event(organization) for _ in range(40)]
    receiver.reply = Reply(delay=0.05)
    dispatching.tell(*events)
    ending = Dispatching(application)
    ending.dispatcher.run()
    receiver.wait_for(1)
    ending.close()
    dispatching.run()
    assert sorted(each.id for each in receiver.taken) == sorted(each.id for each in events)
    assert len(log(organization, webhook)) == 40


def test_dispatchers_side_by_side_do_not_double_the_work(
    application: Application, organization: Organization, receiver: WebhookReceiver
) -> None:
    """Of several processes each takes what the others have not."""
    subscribe(organization, receiver)
    several = [Dispatching(application) for _ in range(3)]
    events = [event(organization) for _ in range(90)]
    several[0].tell(*events)
    for _ in range(10):
        for each in several:
            each.dispatcher.run()
    for each in several:
        each.run()
        each.close()
    assert sorted(each.id for each in receiver.taken) == sorted(each.id for each in events)


def test_a_delivery_is_sent_again_when_asked_for(
    organization: Organization, receiver: WebhookReceiver, dispatching: Dispatching, clock: Clock
) -> None:
    """The same event goes out with its id, in attempts of its own that are retried like others."""
    webhook = subscribe(organization, receiver)
    dispatching.tell_and_run(event(organization))
    (first,) = log(organization, webhook)
    clock.advance(hours=1)
    receiver.replies.append(Reply(status=500))
    path = f"{PATH}/{webhook['id']}/deliveries/{first['id']}/redeliver"
    answer = organization.client.post(path)
    assert answer.status_code == 202
    assert answer.json["event_id"] == first["event_id"]
    assert (answer.json["attempt"], answer.json["response_status"]) == (1, None)
    dispatching.run()
    clock.advance(seconds=5)
    dispatching.run()
    assert len({(each.id, each.body) for each in receiver.taken}) == 1
    assert len(receiver.taken) == 3
    entries = [(each["attempt"], each["response_status"]) for each in log(organization, webhook)]
    assert entries == [(2, 200), (1, 500), (1, 200)]
    assert log(organization, webhook)[1]["id"] == answer.json["id"]


def test_a_rotated_secret_signs_alone(
    organization: Organization, receiver: WebhookReceiver, dispatching: Dispatching
) -> None:
    """The old secret stops at once, also for what waits already."""
    webhook = subscribe(organization, receiver)
    dispatching.tell(event(organization))
    answer = organization.client.post(f"{PATH}/{webhook['id']}/rotate-secret")
    assert (answer.status_code, set(answer.json)) == (200, {"secret"})
    receiver.trust(answer.json["secret"])
    dispatching.run()
    (delivered,) = receiver.taken
    now = 1_800_000_000
    assert delivered.is_signed_with(answer.json["secret"], now=now)
    assert not delivered.is_signed_with(webhook["secret"], now=now)


def test_secrets_overlap_as_long_as_is_said(
    organization: Organization, receiver: WebhookReceiver, dispatching: Dispatching, clock: Clock
) -> None:
    """Both sign until the overlap ends."""
    webhook = subscribe(organization, receiver)
    path = f"{PATH}/{webhook['id']}/rotate-secret"
    new = organization.client.post(path, json={"overlap_seconds": 60}).json["secret"]
    receiver.trust(new)
    dispatching.tell_and_run(event(organization))
    clock.advance(seconds=59)
    dispatching.tell_and_run(event(organization))
    clock.advance(seconds=1)
    dispatching.tell_and_run(event(organization))
    signed = [
        (each.is_signed_with(new, now=each.at), each.is_signed_with(webhook["secret"], now=each.at))
        for each in receiver.taken
    ]
    assert signed == [(True, True), (True, True), (True, False)]


def test_what_cannot_be_read_is_kept_as_text(
    organization: Organization, receiver: WebhookReceiver, dispatching: Dispatching
) -> None:
    """Of an answer 4 KiB are kept, and whatever bytes they are become text."""
    webhook = subscribe(organization, receiver)
    receiver.reply = Reply(body=b"\x00\xff" + b"a" * 10_000)
    dispatching.tell_and_run(event(organization))
    (entry,) = log(organization, webhook)
    assert entry["response_body"] == "\ufffd\ufffd" + "a" * 4_094


class Flaky:
    """Be a storage that one organization's transactions fail on, while it is said so."""

    def __init__(self, storage: Storage, organization_id: str) -> None:
        self._storage = storage
        self._failing = organization_id
        self.fails = True

    def transact(self, organization_id: str, work: Any, **options: Any) -> Any:
        """Fail for the one, run the work for the others."""
        if self.fails and organization_id == self._failing:
            raise Unavailable("not now")
        return self._storage.transact(organization_id, work, **options)

    def __getattr__(self, name: str) -> Any:
        """Do everything else as the storage does."""
        return getattr(self._storage, name)


def test_what_cannot_be_settled_holds_up_nobody_else(
    application: Application,
    organization: Organization,
    receiver: WebhookReceiver,
    dispatching: Dispatching,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is kept and written later, and is not made again for that; others go on meanwhile."""
    other = make_organization(application)
    webhook, others = subscribe(organization, receiver), subscribe(other, receiver)
    dispatching.tell(event(organization))
    dispatching.tell(event(other))
    flaky = Flaky(application.storage, organization.id)
    monkeypatch.setattr(application, "_storage", flaky)
    dispatching.run()
    assert (log(organization, webhook), len(log(other, others))) == ([], 1)
    flaky.fails = False
    dispatching.run()
    assert len(log(organization, webhook)) == 1
    assert len(receiver.taken) == 2


def test_an_end_without_a_database_is_an_end(
    application: Application,
    organization: Organization,
    receiver: WebhookReceiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What cannot be written or given back is left to others, when its lease has ended."""
    subscribe(organization, receiver)
    ending = Dispatching(application)
    ending.tell(*(event(organization) for _ in range(20)))
    receiver.reply = Reply(delay=0.2)
    ending.dispatcher.run()
    receiver.wait_for(1)
    flaky = Flaky(application.storage, organization.id)
    monkeypatch.setattr(application, "_storage", flaky)
    ending.close()
