"""Invitations over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from ipcraft.plugin import Application, Statement, events, given, is_id, own
from ipcraft.testing import Client, Clock
from ipcraft_accounts import ROLES, Member, admit, create_organization, exceeds

Sign = Callable[[str], Client]
Add = Callable[..., Member]
INVITATIONS = "/api/v1/invitations"
BOB = {"email": "bob@example.com", "role": "editor"}
RECORDED = Statement(
    select(events.c.type, events.c.actor, events.c.details, events.c.data)
    .where(events.c.organization_id == own(), events.c.resource_id == given("id"))
    .order_by(events.c.id)
)


def recorded(app: Application, member: Member, invitation: str) -> list[Any]:
    """Give the events about an invitation, the oldest first."""
    with app.storage.read(member.organization.id) as tx:
        return tx.all(RECORDED, id=invitation)


def test_an_address_is_invited(application: Application, browser: Client, ada: Member) -> None:
    """For 7 days; its event has what a mail needs to say."""
    answer = browser.post(INVITATIONS, json={"email": " Bob@Example.com ", "role": "editor"})
    assert answer.status_code == 201
    made = answer.json
    assert is_id(made.pop("id"), "inv")
    assert made == {
        "email": "bob@example.com",
        "role": "editor",
        "created_at": "2026-03-01T12:00:00Z",
        "expires_at": "2026-03-08T12:00:00Z",
    }
    ((kind, actor, details, data),) = recorded(application, ada, answer.json["id"])
    assert (kind, actor) == ("invitation.created", ada.user.id)
    assert details == "Invited bob@example.com as editor"
    assert orjson.loads(data) == {
        "email": "bob@example.com",
        "role": "editor",
        "expires_at": "2026-03-08T12:00:00Z",
    }


def test_an_invited_person_is_a_viewer_unless_said_otherwise(browser: Client) -> None:
    """The least there is."""
    assert browser.post(INVITATIONS, json={"email": BOB["email"]}).json["role"] == "viewer"


def test_invitations_are_listed(browser: Client) -> None:
    """The newest first; a page says how many there are."""
    first, second = (
        browser.post(INVITATIONS, json={"email": f"{name}@example.com"}).json for name in "ab"
    )
    assert browser.get(INVITATIONS).json == [second, first]
    page = browser.get(INVITATIONS, params={"limit": 1, "offset": 1})
    assert page.json == [first]
    assert page.headers["X-Total-Count"] == "2"


def test_a_withdrawal_is_recorded(application: Application, browser: Client, ada: Member) -> None:
    """Withdrawn is gone, once."""
    identifier = browser.post(INVITATIONS, json=BOB).json["id"]
    assert browser.delete(f"{INVITATIONS}/{identifier}").status_code == 204
    assert browser.delete(f"{INVITATIONS}/{identifier}").status_code == 404
    kinds = [event[0] for event in recorded(application, ada, identifier)]
    assert kinds == ["invitation.created", "invitation.deleted"]


def test_an_acceptance_is_recorded(application: Application, browser: Client, ada: Member) -> None:
    """The invitation is accepted, and a user created."""
    identifier = browser.post(INVITATIONS, json=BOB).json["id"]
    admit(application, BOB["email"])
    kinds = [event[0] for event in recorded(application, ada, identifier)]
    assert kinds == ["invitation.created", "invitation.accepted"]
    actions = [entry["action"] for entry in browser.get("/api/v1/activity").json[:2]]
    assert set(actions) == {"invitation.accepted", "user.created"}


@pytest.mark.parametrize(("own_role", "role"), list(product(("admin", "owner"), ROLES)))
def test_nobody_invites_above_their_own_role(
    sign_in: Sign, add: Add, own_role: str, role: str
) -> None:
    """An admin invites no owner."""
    sender = sign_in(add(own_role).user.email)
    answer = sender.post(INVITATIONS, json={"email": "bob@example.com", "role": role})
    assert answer.status_code == (403 if exceeds(role, own_role) else 201)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "email"),
        ({"email": ""}, "email"),
        ({"email": "bob"}, "email"),
        ({"email": 5}, "email"),
        ({"email": None}, "email"),
        ({"email": "bob@example.com\r\nBcc: eve@example.com"}, "email"),
        ({"email": f"{'a' * 250}@example.com"}, "email"),
        ({"email": "bob@example.com", "role": "root"}, "role"),
        ({"email": "bob@example.com", "name": "Bob"}, "name"),
    ],
)
def test_a_bad_body_is_refused_by_field(
    browser: Client, body: dict[str, object], field: str
) -> None:
    """A refusal names the field at fault; a line break makes no second header."""
    answer = browser.post(INVITATIONS, json=body)
    assert answer.status_code == 400
    assert field in answer.json["fields"]


def test_a_member_is_not_invited(browser: Client, ada: Member) -> None:
    """Who is in needs no invitation."""
    answer = browser.post(INVITATIONS, json={"email": ada.user.email.upper()})
    assert (answer.status_code, answer.json["code"]) == (400, "email_taken")


def test_whether_an_address_is_known_elsewhere_is_not_told(
    application: Application, browser: Client
) -> None:
    """A user of another organization is invited like a stranger, and stays where they are."""
    eve = Member(
        *create_organization(application.storage, name="Other", owner_email="eve@example.com")
    )
    assert browser.post(INVITATIONS, json={"email": "eve@example.com"}).status_code == 201
    assert admit(application, "eve@example.com") == eve


def test_an_address_is_invited_once_at_a_time(browser: Client) -> None:
    """A second invitation is refused with the end of the first."""
    browser.post(INVITATIONS, json=BOB)
    answer = browser.post(INVITATIONS, json=BOB)
    assert (answer.status_code, answer.json["code"]) == (400, "already_invited")
    assert "2026-03-08T12:00:00Z" in answer.json["error"]
    assert len(browser.get(INVITATIONS).json) == 1


def test_of_two_invitations_at_once_one_is_made(sign_in: Sign, ada: Member) -> None:
    """The other one is told of it."""
    clients = [sign_in(ada.user.email) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        statuses = threads.map(
            lambda client: client.post(INVITATIONS, json=BOB).status_code, clients
        )
        assert sorted(statuses) == [201, 400, 400, 400]


def test_an_address_is_invited_again_after_the_end(
    browser: Client, sign_in: Sign, ada: Member, clock: Clock
) -> None:
    """The new invitation takes the place of the old."""
    old = browser.post(INVITATIONS, json=BOB).json["id"]
    clock.advance(hours=7 * 24)
    again = sign_in(ada.user.email)
    assert [each["id"] for each in again.get(INVITATIONS).json] == [old]
    new = again.post(INVITATIONS, json=BOB)
    assert new.status_code == 201
    assert [each["id"] for each in again.get(INVITATIONS).json] == [new.json["id"]]


@pytest.mark.parametrize("whose", ["stranger", "nobody"])
def test_invitations_of_others_do_not_exist(
    application: Application, browser: Client, sign_in: Sign, whose: str
) -> None:
    """A stranger's is answered as one that does not exist, and stays; a list has one's own."""
    create_organization(application.storage, name="Other", owner_email="eve@example.com")
    theirs = sign_in("eve@example.com")
    made = theirs.post(INVITATIONS, json=BOB).json["id"]
    identifier = made if whose == "stranger" else "inv_01jx0000000000000000000000"
    answer = browser.delete(f"{INVITATIONS}/{identifier}")
    assert answer.status_code == 404
    assert answer.json["error"] == "There is no invitation with this id"
    assert browser.get(INVITATIONS).json == []
    assert len(theirs.get(INVITATIONS).json) == 1
