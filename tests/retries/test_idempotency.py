"""A request with a key is done once, however often it is sent."""

from __future__ import annotations

import pytest
from falcon.testing import Result
from sqlalchemy import insert, select

from ipcraft.answers import keeping
from ipcraft.answers.keeping import KEPT_SECONDS, Answers
from ipcraft.answers.retention import AT_ONCE, delete_old_answers
from ipcraft.answers.tables import kept_answers
from ipcraft.plugin import Application, Statement, Transaction
from ipcraft.testing import Client, Organization, make_application, make_organization
from ipcraft.testing.clocks import Clock
from ipcraft.testing.databases import dump
from ipcraft_accounts import create_user
from ipcraft_apikeys import create_key

SECTIONS = "/api/v1/sections"
SUBNETS = "/api/v1/subnets"
KEY = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"

_KEPT = Statement(select(kept_answers))
_KEEP = Statement(insert(kept_answers))


def create(client: Client, key: str | None = "one", *, name: str = "Office") -> Result:
    """Create a folder with a key."""
    return client.post(SECTIONS, json={"name": name}, headers={KEY: key})


def names(client: Client) -> list[str]:
    """Give the names of all folders."""
    return [each["name"] for each in client.get(SECTIONS).json]


def kept(app: Application) -> int:
    """Count the answers that are kept for anybody."""
    with app.storage.read_system() as tx:
        return len(tx.all(_KEPT))


def test_the_same_request_is_answered_again(organization: Organization) -> None:
    """It has its first answer, to the byte, says so, and has done nothing more."""
    first, again = (create(organization.client) for _ in range(2))
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert REPLAYED not in first.headers
    assert again.headers[REPLAYED] == "true"
    assert first.headers["x-request-id"] != again.headers["x-request-id"]
    assert first.headers["content-type"] == again.headers["content-type"]
    assert names(organization.client) == ["Office"]


def test_another_request_is_refused(organization: Organization) -> None:
    """A key names one request: another body, path or query with it is 422, and does nothing."""
    client = organization.client
    one, other = (f"{SECTIONS}/{create(client, None, name=name).json['id']}" for name in "AB")
    headers = {KEY: "rename"}
    assert client.patch(one, json={"name": "C"}, headers=headers).status_code == 200
    for path, body in ((one, {"name": "D"}), (other, {"name": "C"}), (f"{one}?a=1", {"name": "C"})):
        answer = client.patch(path, json=body, headers=headers)
        assert (answer.status_code, answer.json["code"]) == (422, "idempotency_key_reused")
    assert names(client) == ["B", "C"]


def test_a_key_counts_on_its_route_alone(organization: Organization) -> None:
    """The same key on another route, or with another method, is another key."""
    client = organization.client
    section = create(client)
    assert client.post(SUBNETS, json={"network": "10.0.0.0/24"}, headers={KEY: "one"}).json["id"]
    path = f"{SECTIONS}/{section.json['id']}"
    assert client.patch(path, json={"name": "B"}, headers={KEY: "one"}).json["name"] == "B"
    assert client.delete(path, headers={KEY: "one"}).status_code == 204


def test_a_key_is_its_organizations_own(application: Application) -> None:
    """Another organization's key of the same name does what it is sent for, and shows nothing."""
    mine, other = make_organization(application), make_organization(application)
    first, second = create(mine.client), create(other.client)
    assert second.status_code == 201
    assert REPLAYED not in second.headers
    assert first.json["id"] != second.json["id"]
    assert names(mine.client) == names(other.client) == ["Office"]


def test_a_colleague_is_not_shown_what_one_was(
    application: Application, organization: Organization
) -> None:
    """An answer is its user's: it may hold a secret that only they were shown."""
    colleague = create_user(
        application.storage, organization.id, email="c@example.com", role="admin"
    )
    made = application.storage.transact(
        organization.id,
        lambda tx: create_key(
            tx, name="key", role="admin", user_id=colleague.id, maker_role="owner"
        ),
    )
    path, headers = "/api/v1/api-keys", {KEY: "secret"}
    assert organization.client.post(path, json={"name": "mine"}, headers=headers).json["key"]
    answer = Client(application, made.secret).post(path, json={"name": "mine"}, headers=headers)
    assert answer.status_code == 422
    assert "key" not in answer.json


def test_a_deletion_is_answered_again(organization: Organization) -> None:
    """What is gone is not missing: the first answer was that it is deleted."""
    client = organization.client
    path = f"{SECTIONS}/{create(client).json['id']}"
    answers = [client.delete(path, headers={KEY: "gone"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [204, 204]
    assert answers[1].headers[REPLAYED] == "true"
    assert client.delete(path).status_code == 404


def test_a_conditional_change_is_answered_again(organization: Organization) -> None:
    """The tag that was right the first time is right for the same request for ever."""
    client = organization.client
    path = f"{SECTIONS}/{create(client).json['id']}"
    headers = {KEY: "rename", "If-Match": client.get(path).headers["etag"]}
    answers = [client.patch(path, json={"name": "B"}, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content


def test_a_refused_request_leaves_its_key_free(organization: Organization) -> None:
    """It has done nothing: mended, it is done with the same key."""
    client = organization.client
    assert create(client, name="").status_code == 400
    assert create(client, name="Mended").status_code == 201
    assert names(client) == ["Mended"]


def test_a_list_is_answered_again(organization: Organization) -> None:
    """An answer of thousands of resources is kept, much smaller than it is."""
    client = organization.client
    subnet = client.post(SUBNETS, json={"network": "10.0.0.0/16"}).json["id"]
    body = [{"ip": f"10.0.{n // 250}.{n % 250 + 1}"} for n in range(2_000)]
    path, headers = f"{SUBNETS}/{subnet}/addresses", {KEY: "bulk"}
    first, again = (client.post(path, json=body, headers=headers) for _ in range(2))
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    with client.app.storage.read_system() as tx:
        [(*_, sealed, _)] = tx.all(_KEPT)
    assert len(sealed) < len(first.content) / 5


def test_an_answer_that_is_too_large_is_not_begun(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be answered again is not done: the client may send less, or no key."""
    monkeypatch.setattr(keeping, "MOST_KEPT", 100)
    answer = create(organization.client)
    assert (answer.status_code, answer.json["code"]) == (413, "answer_too_large")
    assert names(organization.client) == []


def test_a_day_later_the_key_is_new(database_url: str) -> None:
    """A key is good for 24 hours, to the second, whether anybody has tidied up or not."""
    clock = Clock(1_800_000_000)
    app = make_application(database_url, clock=clock)
    client = make_organization(app).client
    create(client)
    clock.advance(seconds=KEPT_SECONDS - 1)
    assert create(client).headers[REPLAYED] == "true"
    clock.advance(seconds=1)
    assert REPLAYED not in create(client).headers
    assert create(client).headers[REPLAYED] == "true"
    assert names(client) == ["Office", "Office"]
    assert kept(app) == 1
    app.close()


def test_old_answers_are_deleted(database_url: str) -> None:
    """The core's job deletes them for everybody, in batches, and leaves those of the last day."""
    clock = Clock(1_800_000_000)
    app = make_application(database_url, clock=clock)
    organization = make_organization(app)

    def fill(tx: Transaction) -> None:
        old = {"request": b"r", "answer": b"a", "created_at": int(clock()) - KEPT_SECONDS}
        tx.write_many(_KEEP, ({**old, "key": n.to_bytes(2, "big")} for n in range(AT_ONCE + 5)))

    app.storage.transact(organization.id, fill)
    create(organization.client)
    app.jobs["answers.tidy"].run({})
    assert kept(app) == 1
    clock.advance(seconds=KEPT_SECONDS)
    delete_old_answers(app.storage)
    assert kept(app) == 0
    app.close()


def test_a_secret_in_an_answer_is_not_readable_in_the_database(
    application: Application, organization: Organization
) -> None:
    """A new API key is shown again to who has the Idempotency-Key, and to nobody else."""
    path, headers = "/api/v1/api-keys", {KEY: "5f3d6c1e-key-of-a-client"}
    first, again = (
        organization.client.post(path, json={"name": "ci"}, headers=headers) for _ in range(2)
    )
    assert first.json["key"] == again.json["key"]
    stored = dump(application.settings.database_url)
    assert first.json["key"] not in stored
    assert headers[KEY] not in stored


def test_an_answer_of_another_secret_key_is_lost(database_url: str) -> None:
    """With a new secret key nobody knows a key any more: it is as if it had never been sent."""
    first = make_application(database_url)
    organization = make_organization(first)
    create(organization.client)
    first.close()
    second = make_application(
        database_url, settings={"secret_key": "another secret key that only tests know"}
    )
    assert REPLAYED not in create(Client(second, organization.key)).headers
    second.close()


def test_an_erased_organization_leaves_no_answer(
    application: Application, organization: Organization
) -> None:
    """Not even the one to its own deletion."""
    create(organization.client)
    name = organization.client.get("/api/v1/organization").json["name"]
    answer = organization.client.request(
        "DELETE", "/api/v1/organization", json={"name": name}, headers={KEY: "end"}
    )
    assert answer.status_code == 204
    assert kept(application) == 0


@pytest.mark.parametrize("key", ["", "x" * 256, "Schl\u00fcssel", "a\tb"])
def test_a_malformed_key_is_refused(organization: Organization, key: str) -> None:
    """A key has 1 to 255 printable ASCII characters."""
    answer = create(organization.client, key.encode().decode("latin-1"))
    assert (answer.status_code, answer.json["code"]) == (400, "malformed_idempotency_key")


def test_a_key_on_a_read_does_nothing(application: Application, organization: Organization) -> None:
    """Reading twice is reading twice."""
    for _ in range(2):
        answer = organization.client.get(SECTIONS, headers={KEY: "read"})
        assert (answer.status_code, REPLAYED in answer.headers) == (200, False)
    assert kept(application) == 0


def test_a_request_without_a_key_keeps_nothing(
    application: Application, organization: Organization
) -> None:
    """Only who asks for it pays for it."""
    create(organization.client, None)
    assert kept(application) == 0


@pytest.mark.parametrize(
    "path", ["/api/v1/webhooks/wh_01h455vb4pex5vsknk084sn02q/test", "/api/v1/auth/send-link"]
)
def test_what_cannot_be_taken_back_takes_no_key(organization: Organization, path: str) -> None:
    """A promise that cannot be kept is not made."""
    answer = organization.client.post(path, json={}, headers={KEY: "ping"})
    assert (answer.status_code, answer.json["code"]) == (400, "idempotency_unsupported")


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True, scope="session")
def test_a_key_whose_request_still_runs_is_refused_at_once(
    application: Application, organization: Organization
) -> None:
    """Nobody waits for the first request; SQLite's only writer has no second one beside it."""
    running = Answers(application.key_for).request("one", route=f"POST {SECTIONS}", content=())

    def work(tx: Transaction) -> Result:
        Answers(application.key_for).begin(tx, running)
        tx.value(_KEPT)
        return create(organization.client)

    answer = application.storage.transact(organization.id, work)
    assert (answer.status_code, answer.json["code"]) == (409, "still_running")
    assert answer.headers["retry-after"] == "1"
    assert create(organization.client).status_code == 201
