"""Managing keys over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable

import falcon.testing
import orjson
import pytest
from sqlalchemy import select

from ipcraft.plugin import Application, Statement, events, is_id, own, rfc3339
from ipcraft_accounts import Organization, User, create_organization
from ipcraft_apikeys import NewKey, create_key
from ipcraft_apikeys.authentication import KeyBackend

Ask = Callable[..., falcon.testing.Result]
MakeKey = Callable[..., NewKey]
PATH = "/api/v1/api-keys"
DAY = 86_400


def test_a_key_is_shown_when_it_is_made(ask: Ask, make_key: MakeKey) -> None:
    """The answer to the creation holds the key; its role is editor unless said otherwise."""
    answer = ask("POST", PATH, key=make_key().secret, json={"name": "Ansible automation"})
    assert answer.status_code == 201
    made = answer.json
    assert is_id(made["id"], "key")
    assert made["key_prefix"] == made["key"][:12]
    assert (made["name"], made["role"], made["expires_at"]) == (
        "Ansible automation",
        "editor",
        None,
    )
    assert ask("GET", "/api/v1/auth/me", key=made["key"]).status_code == 200


def test_keys_are_listed_without_their_secrets(ask: Ask, make_key: MakeKey) -> None:
    """The list shows what tells keys apart, the newest first."""
    first, second = make_key(name="first"), make_key("viewer", name="second")
    answer = ask("GET", PATH, key=first.secret)
    assert answer.status_code == 200
    assert [key["name"] for key in answer.json] == ["second", "first"]
    listed = answer.json[0]
    assert set(listed) == {
        "id",
        "name",
        "key_prefix",
        "role",
        "created_at",
        "expires_at",
        "last_used_at",
    }
    assert listed["created_at"] == rfc3339(second.api_key.created_at)
    assert listed["last_used_at"] is None
    assert first.secret not in answer.text


def test_a_page_of_keys_is_counted(ask: Ask, make_key: MakeKey) -> None:
    """With a limit the answer says how many keys there are in all."""
    keys = [make_key(name=str(number)) for number in range(3)]
    answer = ask("GET", PATH, key=keys[0].secret, params={"limit": 1, "offset": 1})
    assert [key["name"] for key in answer.json] == ["1"]
    assert answer.headers["X-Total-Count"] == "3"
    assert 'rel="next"' in answer.headers["Link"]


def test_a_revoked_key_opens_nothing(ask: Ask, make_key: MakeKey) -> None:
    """Revocation acts on the very next request; a second one finds nothing."""
    owner, other = make_key(), make_key()
    path = f"{PATH}/{other.api_key.id}"
    assert ask("DELETE", path, key=owner.secret).status_code == 204
    assert ask("GET", PATH, key=other.secret).status_code == 401
    assert ask("DELETE", path, key=owner.secret).status_code == 404


def test_a_key_of_another_organization_is_not_found(
    application: Application, ask: Ask, make_key: MakeKey
) -> None:
    """A stranger's key id is answered as one that does not exist, and the key lives on."""
    stranger, user = create_organization(
        application.storage, name="Other", owner_email="eve@example.com"
    )
    theirs = application.storage.transact(
        stranger.id,
        lambda tx: create_key(tx, name="CI", role="owner", user_id=user.id, maker_role="owner"),
    )
    ours = make_key().secret
    there = ask("DELETE", f"{PATH}/{theirs.api_key.id}", key=ours)
    nowhere = ask("DELETE", f"{PATH}/key_01jx0000000000000000000000", key=ours)
    assert there.status_code == nowhere.status_code == 404
    assert there.json["error"] == nowhere.json["error"]
    assert ask("GET", PATH, key=theirs.secret).status_code == 200


@pytest.mark.parametrize("key_id", ["1", "%00", "%ff", "key_" + "z" * 26, "key_" + "0" * 9000])
def test_junk_is_no_key_id(ask: Ask, make_key: MakeKey, key_id: str) -> None:
    """What is no id is answered as an id that does not exist."""
    assert ask("DELETE", f"{PATH}/{key_id}", key=make_key().secret).status_code == 404


@pytest.mark.parametrize(
    ("maker", "role", "status"),
    [("admin", "admin", 201), ("admin", "owner", 403), ("owner", "owner", 201)],
)
def test_a_key_never_exceeds_its_maker(
    ask: Ask, make_key: MakeKey, maker: str, role: str, status: int
) -> None:
    """An admin makes no owner."""
    answer = ask("POST", PATH, key=make_key(maker).secret, json={"name": "CI", "role": role})
    assert answer.status_code == status


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_who_does_not_manage_may_only_look(ask: Ask, make_key: MakeKey, role: str) -> None:
    """Viewers and editors list keys but make and revoke none."""
    made = make_key(role)
    assert ask("GET", PATH, key=made.secret).status_code == 200
    assert ask("POST", PATH, key=made.secret, json={"name": "CI"}).status_code == 403
    assert ask("DELETE", f"{PATH}/{made.api_key.id}", key=made.secret).status_code == 403


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": 5}, "name"),
        ({"name": "CI", "role": "root"}, "role"),
        ({"name": "CI", "expires_at": "tomorrow"}, "expires_at"),
        ({"name": "CI", "expires_at": "2026-13-01T00:00:00Z"}, "expires_at"),
        ({"name": "CI", "expires_at": "2099-01-01T00:00:00"}, "expires_at"),
        ({"name": "CI", "expires_at": "9999-12-31T23:59:59-01:00"}, "expires_at"),
        ({"name": "CI", "expires_at": 5}, "expires_at"),
        ({"name": "CI", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "CI", "roles": "viewer"}, "roles"),
    ],
)
def test_a_bad_body_is_refused_by_field(
    ask: Ask, make_key: MakeKey, body: dict[str, object], field: str
) -> None:
    """A refusal names the field at fault."""
    answer = ask("POST", PATH, key=make_key().secret, json=body)
    assert answer.status_code == 400
    assert field in answer.json["fields"]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("2099-03-01T12:00:00Z", "2099-03-01T12:00:00Z"),
        ("2099-03-01T14:00:00+02:00", "2099-03-01T12:00:00Z"),
        ("2099-03-01t12:00:00.9z", "2099-03-01T12:00:00Z"),
        (None, None),
    ],
)
def test_an_end_is_shown_in_utc(
    ask: Ask, make_key: MakeKey, given: str | None, shown: str | None
) -> None:
    """`expires_at` is any time of RFC 3339, and is shown as every time is."""
    body = {"name": "CI", "expires_at": given}
    answer = ask("POST", PATH, key=make_key().secret, json=body)
    assert answer.status_code == 201
    assert answer.json["expires_at"] == shown


def test_an_end_must_be_in_the_future(ask: Ask, make_key: MakeKey) -> None:
    """A key that ends tomorrow can be made, and one that ended yesterday cannot."""
    now = int(time.time())
    statuses = [
        ask(
            "POST",
            PATH,
            key=make_key().secret,
            json={"name": "CI", "expires_at": rfc3339(now + days * DAY)},
        ).status_code
        for days in (-1, 1)
    ]
    assert statuses == [400, 201]


def test_making_and_revoking_is_recorded_without_the_secret(
    application: Application, ask: Ask, make_key: MakeKey, member: tuple[Organization, User]
) -> None:
    """Each leaves one event of the user whose key asked; no event holds a key."""
    organization, user = member
    owner = make_key().secret
    made = ask("POST", PATH, key=owner, json={"name": "CI"}).json
    ask("DELETE", f"{PATH}/{made['id']}", key=owner)
    recorded = Statement(
        select(events.c.type, events.c.actor, events.c.label, events.c.details, events.c.data)
        .where(events.c.organization_id == own(), events.c.resource_id == made["id"])
        .order_by(events.c.id)
    )
    with application.storage.read(organization.id) as tx:
        created, deleted = tx.all(recorded)
    assert created[:4] == ("api_key.created", user.id, "CI", "Created API key CI")
    assert deleted[:4] == ("api_key.deleted", user.id, "CI", "Deleted API key CI")
    assert orjson.loads(created[4])["key_prefix"] == made["key_prefix"]
    assert made["key"] not in created[4] + deleted[4]


def test_a_use_is_shown(application: Application, ask: Ask, make_key: MakeKey) -> None:
    """A request leaves its time beside the key it came with."""
    owner = make_key()
    ask("GET", PATH, key=owner.secret)
    for backend in application.auth_backends:
        if isinstance(backend, KeyBackend):
            backend.last_used.settle()
    shown = ask("GET", PATH, key=owner.secret).json[0]["last_used_at"]
    assert shown >= rfc3339(owner.api_key.created_at)
