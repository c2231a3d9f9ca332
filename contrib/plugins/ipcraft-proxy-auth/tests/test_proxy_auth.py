"""Whom the proxy names, and as what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import falcon.testing
import pytest

from ipcraft.plugin import StartError
from ipcraft.testing import make_application, make_organization, make_session
from ipcraft_accounts import create_organization, find_member

MakeFront = Callable[..., Any]
ALICE = {"user": "alice", "email": "Alice@Example.com", "name": "Alice", "groups": "noc"}


def test_a_person_is_added_at_their_first_request(front: Any) -> None:
    """In the role of their group."""
    answer = front.get(**ALICE)
    assert answer.status_code == 200, answer.text
    assert answer.json["user"]["email"] == "alice@example.com"
    assert answer.json["user"]["name"] == "Alice"
    assert answer.json["organization"]["name"] == "Acme"
    assert answer.json["role"] == "editor"


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        ("noc", "editor"),
        ("Everybody, noc,network-admins ,", "admin"),
        ("network-admins,Everybody", "admin"),
        ("knitting,Everybody", "viewer"),
    ],
)
def test_the_highest_role_of_the_groups_counts(front: Any, groups: str, role: str) -> None:
    """In whatever order they come, among others that mean nothing."""
    assert front.get(**{**ALICE, "groups": groups}).json["role"] == role


def test_the_role_follows_the_groups(front: Any) -> None:
    """From one request to the next, up and down, with an entry in the activity log each."""
    roles = [
        front.get(**{**ALICE, "groups": groups}).json["role"]
        for groups in ("noc", "network-admins", "Everybody")
    ]
    assert roles == ["editor", "admin", "viewer"]
    log = front.get("/api/v1/activity", **{**ALICE, "groups": "Everybody"}).json
    details = [each["details"] for each in log if "alice@" in each["details"]]
    assert details == [
        "Updated user alice@example.com",
        "Updated user alice@example.com",
        "Added user alice@example.com as editor",
    ]


def test_a_lost_group_acts_on_the_very_next_request(front: Any) -> None:
    """Who is in no group any more is out, also while the user is still there."""
    assert front.get(**ALICE).status_code == 200
    answer = front.get(**{**ALICE, "groups": "knitting"})
    assert (answer.status_code, answer.json["code"]) == (403, "no_role")


@pytest.mark.parametrize("groups", ["", "NOC", "no", "noc;network-admins", "knitting"])
def test_a_person_of_no_group_with_a_role_stays_outside(front: Any, groups: str) -> None:
    """And is not added."""
    answer = front.get(**{**ALICE, "groups": groups})
    assert (answer.status_code, answer.json["code"]) == (403, "no_role")
    assert find_member(front.app.storage, "alice@example.com") is None


def test_a_default_role_lets_everybody_in(make_front: MakeFront) -> None:
    """Also without a header of groups."""
    front = make_front(roles={}, default_role="viewer")
    assert front.get(user="alice", email="alice@example.com").json["role"] == "viewer"


def test_a_steady_person_costs_one_round_trip(front: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the second request on nothing is written, and one question asked."""
    backend = next(each for each in front.app.auth_backends if each.name == "proxy")
    asked: list[str] = []
    storage = type(front.app.storage)
    for method in ("look_up", "read", "look", "read_system", "transact", "transact_system"):
        monkeypatch.setattr(storage, method, noting(asked, storage, method))
    for person in (ALICE, {**ALICE, "name": " Alice "}, {**ALICE, "name": ""}):
        request = request_from_the_proxy(front, person)
        assert backend.authenticate(request) is not None
    assert asked == [
        *("read_system", "look_up", "transact"),  # the organization, the person, adding them
        "look_up",
        "look_up",
    ]


def test_other_headers_can_be_named(make_front: MakeFront) -> None:
    """Those of authentik, with its own sign between groups."""
    front = make_front(
        user_header="X-authentik-username",
        email_header="X-authentik-email",
        name_header="X-authentik-name",
        groups_header="X-authentik-groups",
        groups_separator="|",
    )
    headers = {
        "X-authentik-username": "alice",
        "X-authentik-email": "alice@example.com",
        "X-authentik-name": "Alice",
        "X-authentik-groups": "knitting|network-admins",
    }
    assert front.get(headers=headers).json["role"] == "admin"
    assert front.get(**ALICE).status_code == 401


def test_names_are_utf8(front: Any) -> None:
    """As proxies send them; a name in Latin-1 is one too."""
    assert front.get(**{**ALICE, "name": "Zoë Łukasz"}).json["user"]["name"] == "Zoë Łukasz"
    latin = {"Remote-Name": "Zo\xeb"}
    answer = front.get(user="zoe", email="zoe@example.com", groups="noc", headers=latin)
    assert answer.json["user"]["name"] == "Zoë"


def test_a_user_name_can_be_the_address(front: Any) -> None:
    """Where the proxy tells no other."""
    answer = front.get(user="alice@example.com", groups="noc")
    assert answer.json["user"]["email"] == "alice@example.com"


def test_a_domain_makes_a_user_name_an_address(make_front: MakeFront) -> None:
    """Where the proxy tells only names."""
    front = make_front(email_domain="example.com")
    assert front.get(user="alice", groups="noc").json["user"]["email"] == "alice@example.com"


@pytest.mark.parametrize("email", ["alice", "alice@", "a@x.com,b@x.com", "a@x.com b@x.com"])
def test_a_person_without_one_address_is_nobody(front: Any, email: str) -> None:
    """Two that were joined, because the header came twice, are none."""
    answer = front.get(**{**ALICE, "email": email})
    assert (answer.status_code, answer.json["code"]) == (401, "no_email")


def test_whom_the_proxy_did_not_sign_in_is_asked_for_credentials(front: Any) -> None:
    """An address alone is no sign-in."""
    for person in ({}, {"email": "alice@example.com"}, {"user": " ", "groups": "noc"}):
        assert front.get(**person).status_code == 401


def test_api_keys_work_through_the_proxy(front: Any) -> None:
    """A request with a key and the headers uses the key, in whatever order they are asked."""
    key = make_organization(front.app).key
    answer = front.get(headers={"Authorization": f"Bearer {key}"}, **ALICE)
    assert answer.json["role"] == "owner"


def test_the_key_is_used_also_when_the_proxy_is_asked_first(make_front: MakeFront) -> None:
    """So that a program behind the proxy is itself."""
    front = make_front(settings={"auth_order": ["proxy"]})
    key = make_organization(front.app).key
    answer = front.get(headers={"Authorization": f"Bearer {key}"}, **ALICE)
    assert answer.json["role"] == "owner"


def test_the_proxy_can_be_asked_before_sessions(make_front: MakeFront) -> None:
    """Then an old cookie, of whomever, does not matter."""
    front = make_front(settings={"auth_order": ["proxy"]})
    stranger = make_organization(front.app)
    cookie = f"session={make_session(front.app, stranger.email)}"
    me = front.get(headers={"Cookie": cookie}, **ALICE).json
    assert me["user"]["email"] == "alice@example.com"


def test_a_write_needs_the_header_that_other_sites_cannot_send(front: Any) -> None:
    """Browsers send a proxy's sign-in by themselves, as they do cookies."""
    path, body = "/api/v1/sections", {"name": "Berlin"}
    answer = front.request("POST", path, json=body, **ALICE)
    assert (answer.status_code, answer.json["code"]) == (403, "csrf")
    ours = {"X-Requested-With": "XMLHttpRequest"}
    foreign = {**ours, "Origin": "https://evil.example"}
    answer = front.request("POST", path, json=body, headers=foreign, **ALICE)
    assert (answer.status_code, answer.json["code"]) == (403, "foreign_origin")
    assert front.request("POST", path, json=body, headers=ours, **ALICE).status_code == 201


def test_a_role_that_is_too_low_is_403(front: Any) -> None:
    """What the group may not do, nobody of it may."""
    answer = front.request(
        "POST",
        "/api/v1/sections",
        json={"name": "Berlin"},
        headers={"X-Requested-With": "XMLHttpRequest"},
        **{**ALICE, "groups": "Everybody"},
    )
    assert answer.status_code == 403


def test_a_person_of_another_organization_stays_there(front: Any) -> None:
    """The proxy vouches for its own organization only."""
    stranger = make_organization(front.app)
    answer = front.get(**{**ALICE, "email": stranger.email})
    assert (answer.status_code, answer.json["code"]) == (403, "other_organization")


def test_the_last_owner_is_not_made_less(front: Any) -> None:
    """The organization keeps an owner; the answer says what to do."""
    answer = front.get(**{**ALICE, "email": "founder@example.com"})
    assert (answer.status_code, answer.json["code"]) == (403, "last_owner")


def test_an_organization_that_is_missing_is_said_in_the_log(
    make_front: MakeFront, capsys: pytest.CaptureFixture[str]
) -> None:
    """The person learns only that it is not their fault."""
    answer = make_front(organization="Nowhere").get(**ALICE)
    assert answer.status_code == 503
    assert "Nowhere" not in answer.text
    assert "no organization has the name or id 'Nowhere'" in capsys.readouterr().err


def test_a_plan_that_has_no_room_is_402(make_front: MakeFront) -> None:
    """The plan's number of users counts for those whom the proxy names too."""
    front = make_front(organization="Small")
    create_organization(
        front.app.storage, name="Small", owner_email="small@example.com", plan="free"
    )
    answer = front.get(**ALICE)
    assert answer.status_code == 402


@pytest.mark.parametrize(
    "differing",
    [
        {"trusted_networks": []},
        {"trusted_networks": ["10.0.0.1/8"]},
        {"trusted_networks": ["proxy.example.com"]},
        {"trusted_networks": [5]},
        {"organization": ""},
        {"user_header": "Remote User"},
        {"groups_separator": ""},
        {"email_domain": "@example.com"},
        {"roles": {}},
        {"roles": {"noc": "king"}},
        {"default_role": "king"},
    ],
)
def test_settings_that_make_no_sense_stop_the_start(
    database_url: str, differing: dict[str, Any]
) -> None:
    """The error names the key."""
    working = {
        "trusted_networks": ["10.0.9.1"],
        "organization": "Acme",
        "roles": {"noc": "editor"},
    }
    key = next(iter(differing))
    with pytest.raises(StartError, match=rf"\[plugins.proxy-auth\] {key}"):
        make_application(
            database_url,
            enable=["proxy-auth"],
            sections={"proxy-auth": {**working, **differing}},
        )


def noting(asked: list[str], storage: type, method: str) -> Any:
    """Give a storage's method that also notes that it was called."""
    call = getattr(storage, method)

    def noted(*arguments: Any, **options: Any) -> Any:
        asked.append(method)
        return call(*arguments, **options)

    return noted


def request_from_the_proxy(front: Any, person: dict[str, str]) -> Any:
    """Make a request that names the person."""
    headers = {f"Remote-{key.title()}": value for key, value in person.items()}
    return falcon.testing.create_req(headers=headers, remote_addr="10.0.9.1")
