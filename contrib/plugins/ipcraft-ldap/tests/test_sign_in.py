"""Signing in, against a real slapd."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import falcon.testing
import pytest

from ipcraft.plugin import Application
from ipcraft.testing import Client
from ipcraft.testing.services import Slapd
from ipcraft_accounts import create_user, find_member, find_organization

pytestmark = pytest.mark.slapd

Door = Callable[[str, str], falcon.testing.Result]
OpenDoor = Callable[..., Any]


def test_a_person_gets_a_session(door: Any) -> None:
    """The answer says who they are, and the cookie works."""
    answer = door("alice", "wonderland")
    assert answer.status_code == 200, answer.text
    assert answer.json["user"]["email"] == "alice@example.com"
    assert answer.json["user"]["name"] == "Alice Liddell"
    assert answer.json["organization"]["name"] == "Acme"
    me = browser(door.app, answer).get("/api/v1/auth/me").json
    assert (me["user"]["email"], me["role"]) == ("alice@example.com", "admin")


def test_the_cookie_cannot_be_read_by_pages_or_sent_from_other_sites(door: Door) -> None:
    """It is the session cookie of every way to sign in."""
    cookie = door("alice", "wonderland").cookies["session"]
    assert cookie.http_only
    assert cookie.same_site == "Lax"


def test_the_session_says_how_it_began(door: Any) -> None:
    """The list of one's sessions names the directory."""
    client = browser(door.app, door("alice", "wonderland"))
    assert [each["method"] for each in client.get("/api/v1/auth/sessions").json] == ["ldap"]


@pytest.mark.parametrize(
    ("username", "password", "role"),
    [("alice", "wonderland", "admin"), ("bob", "can we fix it", "editor")],
)
def test_the_highest_role_of_the_groups_counts(
    door: Any, username: str, password: str, role: str
) -> None:
    """Alice is in the groups of two roles."""
    assert role_after(door, username, password) == role


def test_the_role_follows_the_groups(open_door: OpenDoor) -> None:
    """A later sign-in brings a known person's role and name up to date."""
    door = open_door()
    acme = find_organization(door.app.storage, "Acme")
    create_user(
        door.app.storage, acme.id, email="alice@example.com", role="viewer", name="A. Nobody"
    )
    assert role_after(door, "alice", "wonderland") == "admin"
    member = find_member(door.app.storage, "alice@example.com")
    assert member is not None
    assert member.user.name == "Alice Liddell"


def test_a_second_sign_in_changes_nothing(door: Any) -> None:
    """There is one user, and one event of it, however often they come."""
    first, second = (door("bob", "can we fix it").json for _ in range(2))
    assert first == second
    client = browser(door.app, door("alice", "wonderland"))
    emails = [each["email"] for each in client.get("/api/v1/users").json]
    assert sorted(emails) == ["alice@example.com", "bob@example.com", "founder@example.com"]


def test_a_group_is_named_by_its_dn_too(open_door: OpenDoor) -> None:
    """In whatever case."""
    door = open_door(roles={"CN=noc,OU=Groups,dc=example,dc=com": "viewer"})
    assert role_after(door, "bob", "can we fix it") == "viewer"


def test_groups_may_list_names_instead_of_entries(open_door: OpenDoor) -> None:
    """As posixGroup does."""
    door = open_door(group_filter="(memberUid={username})", roles={"unix": "viewer"})
    assert role_after(door, "carol", "without a group") == "viewer"


def test_a_default_role_lets_everybody_in(open_door: OpenDoor) -> None:
    """Also who is in no group that has a role."""
    door = open_door(default_role="viewer")
    assert role_after(door, "carol", "without a group") == "viewer"


def test_people_need_no_service_account(open_door: OpenDoor) -> None:
    """With `user_dn` they are bound as at once, and their groups are found as they themselves."""
    door = open_door(
        user_dn="uid={username},ou=people,dc=example,dc=com",
        user_base=None,
        bind_dn=None,
        bind_password=None,
    )
    assert role_after(door, "alice", "wonderland") == "admin"
    assert door("alice", "wrong").status_code == 401


def test_names_may_have_characters_that_mean_something(door: Any) -> None:
    """Stars and parentheses in the name, commas in the entry's, and any letter in the password."""
    assert role_after(door, "zoë*(ops)", "pâssword ünd mehr") == "admin"


def test_ldaps_works(open_door: OpenDoor, slapd: Slapd) -> None:
    """TLS from the first byte."""
    assert open_door(url=slapd.tls_url)("alice", "wonderland").status_code == 200


def test_an_unencrypted_connection_must_be_asked_for(open_door: OpenDoor) -> None:
    """With `start_tls = false` no certificate is looked at."""
    door = open_door(start_tls=False, ca_file=None)
    assert door("alice", "wonderland").status_code == 200


def test_a_session_the_browser_brought_along_ends(door: Any) -> None:
    """Nobody can prepare a session for somebody else to sign in with."""
    client = browser(door.app, door("bob", "can we fix it"))
    answer = client.post("/api/v1/auth/ldap", json={"username": "alice", "password": "wonderland"})
    assert answer.cookies["session"].value != client.session
    assert client.get("/api/v1/auth/me").status_code == 401


def test_an_organization_that_is_missing_is_said_in_the_log(
    open_door: OpenDoor, capsys: pytest.CaptureFixture[str]
) -> None:
    """The person learns only that it is not their fault."""
    answer = open_door(organization="Nowhere")("alice", "wonderland")
    assert answer.status_code == 503
    assert "Nowhere" not in answer.text
    assert "no organization has the name or id 'Nowhere'" in capsys.readouterr().err


def browser(app: Application, answer: falcon.testing.Result) -> Client:
    """Give a browser with the session that an answer began."""
    assert answer.status_code == 200, answer.text
    return Client(app, session=answer.cookies["session"].value)


def role_after(door: Any, username: str, password: str) -> str:
    """Sign somebody in and give their role."""
    client = browser(door.app, door(username, password))
    return str(client.get("/api/v1/auth/me").json["role"])
