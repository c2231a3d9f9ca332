"""What must not get anybody in, against a real slapd."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import falcon.testing
import pytest
import trustme

from ipcraft.testing.services import FaultProxy, Slapd, free_port
from ipcraft_accounts import create_organization, find_member

pytestmark = pytest.mark.slapd

Door = Callable[[str, str], falcon.testing.Result]
OpenDoor = Callable[..., Any]
DIRECT = {
    "user_dn": "uid={username},ou=people,dc=example,dc=com",
    "user_base": None,
    "bind_dn": None,
    "bind_password": None,
}
BLANKS = ["\u00ad", "\u200b", "\u2060\ufeff"]
"""Passwords that RFC 4013 would have us make empty."""


@pytest.fixture
def proxy(slapd: Slapd) -> Iterator[FaultProxy]:
    """Give a proxy in front of the directory."""
    with FaultProxy("127.0.0.1", slapd.port) as proxy:
        yield proxy


@pytest.mark.parametrize(
    "username",
    [
        "*",
        "a*",
        "alice)(uid=*",
        "alice)(|(uid=*",
        "*)(objectClass=*",
        "alice)(&(uid=alice",
        "alice))(|(uid=alice",
        "\\61lice",
        "uid=alice,ou=people,dc=example,dc=com",
        "cn=reader,dc=example,dc=com",
    ],
)
def test_a_filter_cannot_be_written_into_the_name(door: Door, username: str) -> None:
    """Only the whole name, as it is, finds an entry."""
    refused(door(username, "wonderland"))


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("mallory,ou=guests", "in the middle"),
        ("alice+uid=alice", "wonderland"),
        ("alice,ou=people,dc=example,dc=com #", "wonderland"),
        ("\\61lice", "wonderland"),
        ('"alice"', "wonderland"),
        ("#616c696365", "wonderland"),
    ],
)
def test_a_name_cannot_lead_to_another_entry(
    open_door: OpenDoor, username: str, password: str
) -> None:
    """What would be part of a distinguished name is part of the person's."""
    refused(open_door(**DIRECT)(username, password))


def test_the_service_account_signs_nobody_in(open_door: OpenDoor) -> None:
    """It is no person: no entry below `user_base`."""
    refused(open_door(user_filter="(cn={username})")("reader", "reads a lot"))


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(door: Door) -> None:
    """Whoever tries names learns none."""
    wrong, unknown = door("alice", "wonderland "), door("nobody", "wonderland")
    for answer in (wrong, unknown):
        refused(answer)
        del answer.json["request_id"]
    assert {**wrong.json, "request_id": ""} == {**unknown.json, "request_id": ""}


def test_the_directory_takes_a_bind_without_a_password(slapd: Slapd) -> None:
    """So it is we who must not ask it."""
    dn = b"uid=alice,ou=people,dc=example,dc=com"
    bind = b"\x02\x01\x03\x04" + bytes([len(dn)]) + dn + b"\x80\x00"
    message = b"\x02\x01\x01\x60" + bytes([len(bind)]) + bind
    with socket.create_connection(("127.0.0.1", slapd.port)) as connection:
        connection.sendall(b"\x30" + bytes([len(message)]) + message)
        assert b"\x61\x07\x0a\x01\x00" in connection.recv(1024)


@pytest.mark.parametrize("password", ["", *BLANKS])
@pytest.mark.parametrize("settings", [{}, DIRECT], ids=["searching", "direct"])
def test_an_empty_password_is_wrong(
    open_door: OpenDoor, settings: dict[str, Any], password: str
) -> None:
    """Also one of characters that count for nothing."""
    refused(open_door(**settings)("alice", password))


def test_a_name_that_means_two_entries_means_nobody(door: Door) -> None:
    """The password of either does not tell which one it is."""
    refused(door("twin", "two of a kind"))


def test_a_person_of_no_group_with_a_role_stays_outside(door: Any) -> None:
    """Nobody is added either."""
    answer = door("carol", "without a group")
    assert (answer.status_code, answer.json["code"]) == (403, "no_role")
    assert "session" not in answer.cookies
    assert find_member(door.app.storage, "carol@example.com") is None


def test_a_person_without_mail_stays_outside(door: Door) -> None:
    """There is nothing to know them by."""
    answer = door("dave", "without mail")
    assert (answer.status_code, answer.json["code"]) == (403, "no_email")
    assert "session" not in answer.cookies


def test_a_person_of_another_organization_stays_there(door: Any) -> None:
    """The directory vouches for its own organization only."""
    create_organization(door.app.storage, name="Other", owner_email="alice@example.com")
    answer = door("alice", "wonderland")
    assert (answer.status_code, answer.json["code"]) == (403, "other_organization")
    assert "session" not in answer.cookies


def test_the_last_owner_is_not_made_less(door: Door) -> None:
    """The organization keeps an owner; the answer says what to do."""
    answer = door("founder", "was here first")
    assert (answer.status_code, answer.json["code"]) == (400, "last_owner")
    assert "session" not in answer.cookies


def test_guessing_is_slow(open_door: OpenDoor) -> None:
    """So many attempts a minute from one address, right or wrong."""
    door = open_door(attempts_per_minute=3)
    answers = [door("alice", "guess").status_code for _ in range(3)]
    assert answers == [401, 401, 401]
    answer = door("alice", "wonderland")
    assert (answer.status_code, answer.json["code"]) == (429, "rate_limited")
    assert "session" not in answer.cookies


def test_a_server_that_is_down_is_503(open_door: OpenDoor) -> None:
    """At once."""
    door = open_door(url=f"ldap://127.0.0.1:{free_port()}")
    unavailable_within(2, door)


def test_a_server_that_goes_down_is_503_until_it_is_back(
    open_door: OpenDoor, proxy: FaultProxy
) -> None:
    """Nothing is remembered of the sign-in before."""
    door = open_door(url=f"ldap://127.0.0.1:{proxy.port}")
    assert door("alice", "wonderland").status_code == 200
    proxy.down()
    unavailable_within(2, door)
    proxy.heal()
    assert door("alice", "wonderland").status_code == 200


@pytest.mark.parametrize("scheme", ["ldap", "ldaps"])
@pytest.mark.parametrize("settings", [{}, DIRECT], ids=["searching", "direct"])
def test_a_server_that_says_nothing_is_503(
    open_door: OpenDoor, proxy: FaultProxy, scheme: str, settings: dict[str, Any]
) -> None:
    """Within two seconds, whatever it was about to say."""
    door = open_door(url=f"{scheme}://127.0.0.1:{proxy.port}", **settings)
    proxy.black_hole()
    unavailable_within(2, door)


def test_a_server_that_says_little_at_a_time_is_503(open_door: OpenDoor, proxy: FaultProxy) -> None:
    """The time of the whole is limited, not only that of each step."""
    door = open_door(url=f"ldap://127.0.0.1:{proxy.port}")
    proxy.latency(0.4)
    unavailable_within(2, door)


@pytest.mark.parametrize("after", [0, 1, 5, 14, 20, 200])
def test_a_server_that_breaks_off_is_503(
    open_door: OpenDoor, proxy: FaultProxy, after: int
) -> None:
    """Wherever it does."""
    door = open_door(url=f"ldap://127.0.0.1:{proxy.port}", start_tls=False)
    proxy.cut(after=after)
    unavailable_within(2, door)


def test_an_authority_we_do_not_know_is_503(open_door: OpenDoor) -> None:
    """Nobody who sits in between gets a password."""
    unavailable_within(2, open_door(ca_file=None))


@pytest.mark.parametrize("scheme", ["ldap", "ldaps"])
def test_a_certificate_of_another_name_is_503(
    open_door: OpenDoor, slapd: Slapd, scheme: str
) -> None:
    """It is of 127.0.0.1, which localhost is not called."""
    port = slapd.tls_port if scheme == "ldaps" else slapd.port
    unavailable_within(2, open_door(url=f"{scheme}://localhost:{port}"))


def test_a_server_without_tls_is_503(open_door: OpenDoor, authority: trustme.CA) -> None:
    """There is no way back to an unencrypted connection."""
    with Slapd(
        "dc=example,dc=com", "dn: dc=example,dc=com\nobjectClass: domain\ndc: example\n"
    ) as bare:
        unavailable_within(2, open_door(url=bare.url))


@pytest.mark.parametrize(
    "settings",
    [
        {"bind_password": "wrong"},
        {"user_base": "ou=nowhere,dc=example,dc=com"},
        {"group_base": "ou=nowhere,dc=example,dc=com"},
        {"user_filter": "(uid={username}"},
    ],
)
def test_settings_the_directory_refuses_are_503(
    open_door: OpenDoor, settings: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """It is nobody's fault who signs in, and the log says what it is."""
    unavailable_within(2, open_door(**settings))
    assert "the directory cannot be asked" in capsys.readouterr().err


def refused(answer: falcon.testing.Result) -> None:
    """Check that the answer lets nobody in."""
    assert (answer.status_code, answer.json["code"]) == (401, "wrong_credentials")
    assert "session" not in answer.cookies


def unavailable_within(seconds: float, door: Any) -> None:
    """Check that the right password gets nobody in, and how long that takes."""
    started = time.monotonic()
    answer = door("alice", "wonderland")
    assert time.monotonic() - started < seconds
    assert (answer.status_code, answer.json["code"]) == (503, "directory_unavailable")
    assert "session" not in answer.cookies
