"""Users over HTTP: who may change whom, and what ends with them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from ipcraft.plugin import Application, Statement, events, given, own
from ipcraft.testing import Client
from ipcraft_accounts import ROLES, Member, create_organization, exceeds
from ipcraft_accounts.tables import sessions
from ipcraft_apikeys import create_key
from ipcraft_apikeys.tables import api_keys

Sign = Callable[[str], Client]
Add = Callable[..., Member]
MANAGERS = ("admin", "owner")
ME = "/api/v1/auth/me"
USERS = "/api/v1/users"
RECORDED = Statement(
    select(events.c.type, events.c.actor, events.c.details, events.c.data)
    .where(events.c.organization_id == own(), events.c.resource_id == given("id"))
    .order_by(events.c.id)
)


def path(member: Member) -> str:
    """Give the path of the member's user."""
    return f"{USERS}/{member.user.id}"


def key_of(app: Application, member: Member, *, role: str) -> Client:
    """Make a key of the member, and a client with it."""
    made = app.storage.transact(
        member.organization.id,
        lambda tx: create_key(tx, name=role, role=role, user_id=member.user.id, maker_role="owner"),
    )
    return Client(app, made.secret)


def recorded(app: Application, member: Member) -> list[Any]:
    """Give the events about a user, the oldest first."""
    with app.storage.read(member.organization.id) as tx:
        return tx.all(RECORDED, id=member.user.id)


def test_users_are_listed(browser: Client, ada: Member, add: Add) -> None:
    """The newest first, each with a role; a page says how many there are."""
    bob = add("editor", email="bob@example.com")
    answer = browser.get(USERS)
    assert answer.json == [
        {
            "id": bob.user.id,
            "email": "bob@example.com",
            "name": "bob",
            "role": "editor",
            "created_at": answer.json[0]["created_at"],
        },
        {
            "id": ada.user.id,
            "email": "ada@example.com",
            "name": "Ada Lovelace",
            "role": "owner",
            "created_at": "2026-03-01T12:00:00Z",
        },
    ]
    page = browser.get(USERS, params={"limit": 1, "offset": 1})
    assert [user["id"] for user in page.json] == [ada.user.id]
    assert page.headers["X-Total-Count"] == "2"
    assert browser.get(path(bob)).json == answer.json[0]


def test_name_and_role_change(application: Application, browser: Client, add: Add) -> None:
    """The given fields change; one event says which, in the name of who did it."""
    bob = add("editor")
    answer = browser.patch(path(bob), json={"name": " Bob ", "role": "admin"})
    assert answer.status_code == 200
    assert (answer.json["name"], answer.json["role"]) == ("Bob", "admin")
    assert browser.get(path(bob)).json == answer.json
    kind, actor, details, data = recorded(application, bob)[-1]
    assert (kind, details) == ("user.updated", "Updated user editor@example.com")
    assert actor == browser.get(ME).json["user"]["id"]
    assert orjson.loads(data) == {"name": "Bob", "role": "admin"}


@pytest.mark.parametrize("body", [{}, {"role": "editor"}, {"name": "editor"}])
def test_no_change_is_no_event(
    application: Application, browser: Client, add: Add, body: dict[str, str]
) -> None:
    """What is as it should be is answered and not recorded."""
    bob = add("editor")
    assert browser.patch(path(bob), json=body).json["role"] == "editor"
    assert [event[0] for event in recorded(application, bob)] == ["user.created"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"role": "root"}, "role"),
        ({"role": None}, "role"),
        ({"role": 1}, "role"),
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": None}, "name"),
        ({"email": "bob@example.com"}, "email"),
        ({"id": "usr_1"}, "id"),
    ],
)
def test_a_bad_body_is_refused_by_field(
    browser: Client, add: Add, body: dict[str, object], field: str
) -> None:
    """A refusal names the field at fault; an address does not change."""
    answer = browser.patch(path(add("editor")), json=body)
    assert answer.status_code == 400
    assert field in answer.json["fields"]


@pytest.mark.parametrize(("own_role", "role", "new"), list(product(MANAGERS, ROLES, ROLES)))
def test_nobody_raises_above_their_own_role(
    sign_in: Sign, add: Add, own_role: str, role: str, new: str
) -> None:
    """Neither a user who is above oneself is changed, nor anybody to a role above one's own."""
    target = add(role, email="target@example.com")
    sender = sign_in(add(own_role, email="sender@example.com").user.email)
    answer = sender.patch(path(target), json={"role": new})
    allowed = not exceeds(role, own_role) and not exceeds(new, own_role)
    assert answer.status_code == (200 if allowed else 403)
    assert sender.get(path(target)).json["role"] == (new if allowed else role)


@pytest.mark.parametrize(("own_role", "role"), list(product(MANAGERS, ROLES)))
def test_nobody_deletes_who_is_above_them(
    sign_in: Sign, add: Add, own_role: str, role: str
) -> None:
    """An admin deletes no owner."""
    target = add(role, email="target@example.com")
    sender = sign_in(add(own_role, email="sender@example.com").user.email)
    allowed = not exceeds(role, own_role)
    assert sender.delete(path(target)).status_code == (204 if allowed else 403)
    assert sender.get(path(target)).status_code == (404 if allowed else 200)


@pytest.mark.parametrize("new", ["viewer", "editor", "admin"])
def test_a_key_acts_in_its_own_role(
    application: Application, ada: Member, add: Add, new: str
) -> None:
    """An admin key of an owner makes nobody an owner, nor its own user less."""
    key = key_of(application, ada, role="admin")
    assert key.patch(path(ada), json={"role": new}).status_code == 403
    assert key.patch(path(add("viewer")), json={"role": "owner"}).status_code == 403


@pytest.mark.parametrize("role", ["viewer", "editor", "admin"])
def test_the_last_owner_is_not_demoted(browser: Client, ada: Member, role: str) -> None:
    """An organization keeps an owner."""
    answer = browser.patch(path(ada), json={"role": role})
    assert (answer.status_code, answer.json["code"]) == (400, "last_owner")
    assert browser.get(ME).json["role"] == "owner"


def test_the_last_owner_is_not_deleted(browser: Client, ada: Member, add: Add) -> None:
    """Not even by themselves; with a second owner they may go."""
    answer = browser.delete(path(ada))
    assert (answer.status_code, answer.json["code"]) == (400, "last_owner")
    add("owner")
    assert browser.delete(path(ada)).status_code == 204
    assert browser.get(ME).status_code == 401


def test_the_last_owner_may_change_the_name(browser: Client, ada: Member) -> None:
    """Only the role is kept."""
    answer = browser.patch(path(ada), json={"name": "Ada King", "role": "owner"})
    assert answer.json["name"] == "Ada King"


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_two_owners_who_remove_each_other_leave_one(
    sign_in: Sign, ada: Member, add: Add, method: str
) -> None:
    """However close together: one of the two is the last."""
    other = add("owner")
    requests = [(sign_in(ada.user.email), other), (sign_in(other.user.email), ada)]
    options = {"json": {"role": "viewer"}} if method == "PATCH" else {}

    def remove(request: tuple[Client, Member]) -> int:
        client, target = request
        return client.request(method, path(target), **options).status_code

    with ThreadPoolExecutor(2) as threads:
        statuses = sorted(threads.map(remove, requests))
    assert statuses[0] in (200, 204)
    # The loser is refused as the last owner, as a viewer by now, or as nobody.
    assert statuses[1] in (400, 401, 403)


def test_a_deleted_user_is_gone_at_once(
    application: Application, browser: Client, sign_in: Sign, add: Add
) -> None:
    """Sessions and keys open nothing in the very next request, and no row of them is left."""
    admin = add("admin")
    theirs = [sign_in(admin.user.email), key_of(application, admin, role="editor")]
    assert [client.get(ME).status_code for client in theirs] == [200, 200]
    assert browser.delete(path(admin)).status_code == 204
    assert [client.get(ME).status_code for client in theirs] == [401, 401]
    assert browser.get(path(admin)).status_code == 404
    assert browser.delete(path(admin)).status_code == 404
    with application.storage.read_system() as tx:
        for table in (sessions, api_keys):
            assert (
                tx.all(Statement(select(table.c.id).where(table.c.user_id == admin.user.id))) == []
            )


def test_a_deletion_is_recorded_with_the_keys_that_went(
    application: Application, browser: Client, ada: Member, add: Add
) -> None:
    """Activity tells of the user and of each key."""
    admin = add("admin")
    key_of(application, admin, role="editor")
    browser.delete(path(admin))
    entries = browser.get("/api/v1/activity").json
    assert {entry["details"] for entry in entries[:2]} == {
        "Deleted user admin@example.com",
        "Deleted API key editor",
    }
    assert {entry["user_id"] for entry in entries[:2]} == {ada.user.id}


def test_keys_of_others_stay(
    application: Application, browser: Client, ada: Member, add: Add
) -> None:
    """Only what was the user's ends."""
    key = key_of(application, ada, role="viewer")
    browser.delete(path(add("admin")))
    assert key.get(ME).status_code == 200


def test_no_key_keeps_more_than_its_user_has(
    application: Application, browser: Client, add: Add
) -> None:
    """Who is demoted is demoted with the keys; a key that has less stays as it is."""
    admin = add("admin")
    keys = {role: key_of(application, admin, role=role) for role in ("viewer", "editor", "admin")}
    browser.patch(path(admin), json={"role": "editor"})
    roles = {role: key.get(ME).json["role"] for role, key in keys.items()}
    assert roles == {"viewer": "viewer", "editor": "editor", "admin": "editor"}
    browser.patch(path(admin), json={"role": "admin"})
    assert keys["admin"].get(ME).json["role"] == "editor"


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_users_of_others_do_not_exist(
    application: Application, browser: Client, sign_in: Sign, method: str
) -> None:
    """A stranger's user id is answered as one that does not exist, and nothing happens to them."""
    other = Member(
        *create_organization(application.storage, name="Other", owner_email="eve@example.com")
    )
    options = {"json": {"role": "viewer"}} if method == "PATCH" else {}
    there = browser.request(method, path(other), **options)
    nowhere = browser.request(method, f"{USERS}/usr_01jx0000000000000000000000", **options)
    assert there.status_code == nowhere.status_code == 404
    assert there.json["error"] == nowhere.json["error"]
    assert sign_in("eve@example.com").get(ME).json["role"] == "owner"


@pytest.mark.parametrize("user_id", ["1", "%00", "%ff", "usr_" + "z" * 26, "usr_" + "0" * 9000])
def test_junk_is_no_user(browser: Client, user_id: str) -> None:
    """What is no id is answered as an id that does not exist."""
    for method in ("GET", "DELETE"):
        assert browser.request(method, f"{USERS}/{user_id}").status_code == 404
