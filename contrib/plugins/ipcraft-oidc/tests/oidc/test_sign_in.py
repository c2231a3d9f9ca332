"""The way to the issuer and back, and whom it makes of somebody."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest

from ipcraft.plugin import Application
from ipcraft.testing import Client, Clock, make_session
from ipcraft_accounts import Member, create_organization, create_user, find_member

from .browser import CALLBACK, LOGIN, Browser, query_of, visit
from .conftest import PUBLIC_URL, Open
from .issuer import CLIENT_ID, Issuer, new_key

COOKIE = "oidc"
USERS = "/api/v1/users"


def test_a_person_signs_in(browser: Browser, owner: Member) -> None:
    """Who comes back from the issuer has a session, in the role of their group."""
    answer = browser.sign_in()
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PUBLIC_URL}/")
    me = browser.get("/api/v1/auth/me").json
    assert (me["user"]["email"], me["user"]["name"]) == ("ada@example.com", "Ada Lovelace")
    assert (me["organization"]["id"], me["role"]) == (owner.organization.id, "editor")
    (session,) = browser.get("/api/v1/auth/sessions").json
    assert session["method"] == "oidc"


def test_the_issuer_gets_all_it_needs_and_no_secret(browser: Browser, issuer: Issuer) -> None:
    """The code flow with state, nonce and a hashed PKCE verifier."""
    location = browser.begin()
    assert location.startswith(f"{issuer.url}/authorize?")
    query = query_of(location)
    assert query | {"state": "", "nonce": "", "code_challenge": ""} == {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": f"{PUBLIC_URL}{CALLBACK}",
        "scope": "openid email profile",
        "state": "",
        "nonce": "",
        "code_challenge": "",
        "code_challenge_method": "S256",
    }
    secrets = [query[name] for name in ("state", "nonce", "code_challenge")]
    assert [len(secret) for secret in secrets] == [43, 43, 43]
    assert len({*secrets, browser.cookies[COOKIE]}) == 4


def test_no_two_attempts_share_anything(browser: Browser) -> None:
    """Each has a state, a nonce and a verifier of its own."""
    first, second = (query_of(browser.begin()) for _ in range(2))
    for name in ("state", "nonce", "code_challenge"):
        assert first[name] != second[name]


def test_an_endpoint_with_a_query_keeps_it(browser: Browser, issuer: Issuer) -> None:
    """What we add is added to it (RFC 6749, section 3.1)."""
    issuer.document["authorization_endpoint"] = f"{issuer.url}/authorize?tenant=acme"
    assert query_of(browser.begin())["tenant"] == "acme"


def test_the_attempts_cookie_is_the_browsers_alone(browser: Browser) -> None:
    """No script reads it, no other site has it sent but by a link, and no cache keeps it."""
    answer = browser.get(LOGIN)
    cookie = answer.cookies[COOKIE]
    assert cookie.http_only
    assert (cookie.same_site, cookie.path, cookie.max_age) == ("Lax", "/", 600)
    assert cookie.domain is None
    assert answer.headers["cache-control"] == "no-store"


def test_the_attempts_cookie_goes_when_it_was_used(browser: Browser) -> None:
    """What is left is the session."""
    answer = browser.sign_in()
    assert answer.cookies[COOKIE].value == ""
    assert list(browser.cookies) == ["session"]
    assert answer.headers["cache-control"] == "no-store"


def test_behind_https_no_neighbour_can_plant_an_attempt(opened: Open, issuer: Issuer) -> None:
    """The cookie is one that browsers take from this very host alone."""
    issuer.redirect_uri = f"https://ipam.example.com/ipam{CALLBACK}"
    app = opened(public_url="https://ipam.example.com/ipam")
    create_organization(app.storage, name="Acme", owner_email="root@example.com")
    browser = Browser(app)
    answer = browser.sign_in(next="/subnets")
    assert answer.headers["location"] == "https://ipam.example.com/ipam/subnets"
    location = browser.begin()
    cookie = browser.get(LOGIN).cookies["__Host-oidc"]
    assert (cookie.secure, cookie.path) == (True, "/")
    assert cookie.domain is None
    del browser.cookies["__Host-oidc"]
    browser.cookies[COOKIE] = cookie.value
    assert browser.come_back(visit(location)).status_code == 401


@pytest.mark.parametrize(
    "path", ["/", "/subnets", "/subnets?q=a%20b&c=d#e", "/a/b/", "/?next=//evil.example"]
)
def test_the_browser_goes_where_it_wanted(browser: Browser, path: str) -> None:
    """A path of this server may be given, and is kept as it is."""
    assert browser.sign_in(next=path).headers["location"] == PUBLIC_URL + path


@pytest.mark.parametrize("kind", ["RSA", "EC", "OKP"])
def test_issuers_sign_by_any_kind_of_public_key(
    browser: Browser, issuer: Issuer, kind: str
) -> None:
    """RS256, ES256 and Ed25519 are verified."""
    issuer.rotate(new_key(kind))
    assert browser.sign_in().status_code == 303


@pytest.mark.parametrize("algorithm", ["RS512", "PS256"])
def test_issuers_sign_by_other_hashes(browser: Browser, issuer: Issuer, algorithm: str) -> None:
    """An RSA key may sign in several ways."""
    issuer.algorithm = algorithm
    assert browser.sign_in().status_code == 303


def test_issuers_may_take_the_secret_in_the_form(browser: Browser, issuer: Issuer) -> None:
    """It is sent as the discovery document says."""
    issuer.document["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    assert browser.sign_in().status_code == 303


def test_a_client_may_have_no_secret(opened: Open, issuer: Issuer) -> None:
    """PKCE alone ties the code to us then."""
    issuer.secret = None
    issuer.document["token_endpoint_auth_methods_supported"] = ["none"]
    app = opened(client_secret=None)
    create_organization(app.storage, name="Acme", owner_email="root@example.com")
    assert Browser(app).sign_in().status_code == 303


@pytest.mark.parametrize("told", [(), ("email", "email_verified"), ("groups",)])
def test_what_the_id_token_lacks_the_user_info_tells(
    browser: Browser, issuer: Issuer, told: tuple[str, ...]
) -> None:
    """Many issuers tell little in the token."""
    issuer.in_id_token = told
    browser.sign_in()
    assert (browser.role(), issuer.count("/userinfo")) == ("editor", 1)


def test_a_complete_id_token_costs_no_further_question(browser: Browser, issuer: Issuer) -> None:
    """The user info is not asked for what is known."""
    browser.sign_in()
    assert issuer.count("/userinfo") == 0


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        (["ipam-admins"], "admin"),
        (["everybody", "ipam-admins", "ipam-editors"], "admin"),
        (["everybody", "x" * 9999, 5, None, {}], "viewer"),
        ("ipam-editors", "editor"),
    ],
)
def test_the_highest_role_of_ones_groups_counts(
    browser: Browser, issuer: Issuer, groups: Any, role: str
) -> None:
    """A claim may be one word or a list, in which what is no word is nothing."""
    issuer.person["groups"] = groups
    browser.sign_in()
    assert browser.role() == role


def test_a_default_role_is_for_everybody_else(opened: Open, issuer: Issuer) -> None:
    """Where one is set, who is in no group gets in; so does who has no groups at all."""
    app = opened(default_role="viewer", groups_claim="teams")
    create_organization(app.storage, name="Acme", owner_email="root@example.com")
    browser = Browser(app)
    browser.sign_in()
    assert browser.role() == "viewer"


def test_a_person_who_comes_twice_at_once_is_one(
    application: Application, browser: Browser, issuer: Issuer
) -> None:
    """First sign-ins in several browsers at the same moment make one user."""
    issuer.person["groups"] = ["ipam-admins"]
    ways = [Browser(application) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda way: way.sign_in(), ways))
    assert [answer.status_code for answer in answers] == [303] * 4
    assert len({way.get("/api/v1/auth/me").json["user"]["id"] for way in ways}) == 1
    assert len(ways[0].get(USERS).json) == 2


def test_each_sign_in_brings_the_user_up_to_date(browser: Browser, issuer: Issuer) -> None:
    """Name and role follow the issuer; it stays the same user."""
    browser.sign_in()
    before = browser.get("/api/v1/auth/me").json["user"]["id"]
    issuer.person |= {"name": "Ada King", "groups": ["ipam-admins"]}
    browser.sign_in()
    me = browser.get("/api/v1/auth/me").json
    assert (me["user"]["id"], me["user"]["name"], me["role"]) == (before, "Ada King", "admin")


@pytest.mark.parametrize("name", [None, "", "  ", "a\0b", "a\ud800", 5, ["Ada"]])
def test_a_name_that_is_none_is_not_taken(browser: Browser, issuer: Issuer, name: Any) -> None:
    """The person is called by their address then."""
    issuer.person["name"] = name
    browser.sign_in()
    assert browser.get("/api/v1/auth/me").json["user"]["name"] == "ada"


def test_a_user_who_was_there_before_is_the_same(
    application: Application, browser: Browser, owner: Member
) -> None:
    """The first sign-in finds them by their verified address, however that is spelled."""
    user = create_user(
        application.storage, owner.organization.id, email="ADA@example.com", role="viewer"
    )
    browser.sign_in()
    assert browser.get("/api/v1/auth/me").json["user"]["id"] == user.id


def test_a_person_with_another_address_is_the_same(browser: Browser, issuer: Issuer) -> None:
    """The issuer's word for a person counts, not the address."""
    browser.sign_in()
    before = browser.get("/api/v1/auth/me").json["user"]
    issuer.person["email"] = "ada.king@example.com"
    assert browser.sign_in().status_code == 303
    assert browser.get("/api/v1/auth/me").json["user"] == before


def test_a_person_with_anothers_address_is_not_the_other(
    browser: Browser, application: Application, issuer: Issuer
) -> None:
    """An address that the issuer gave to somebody else opens nothing of its first owner's."""
    browser.sign_in()
    issuer.person["sub"] = "eve-0002"
    other = Browser(application)
    answer = other.sign_in()
    assert (answer.status_code, answer.json["code"]) == (403, "other_subject")
    assert other.role() is None


def test_a_deleted_user_begins_anew(
    application: Application, browser: Browser, owner: Member, issuer: Issuer
) -> None:
    """Nothing of them is left, so that the address may even be somebody else's."""
    browser.sign_in()
    before = browser.get("/api/v1/auth/me").json["user"]["id"]
    root = Client(application, session=make_session(application, owner.user.email))
    assert root.delete(f"{USERS}/{before}").status_code == 204
    assert browser.role() is None
    issuer.person["sub"] = "eve-0002"
    browser.sign_in()
    assert browser.get("/api/v1/auth/me").json["user"]["id"] != before


def test_an_organization_with_people_of_the_issuer_can_go(
    application: Application, browser: Browser, owner: Member
) -> None:
    """The rows that say who is who go with it."""
    browser.sign_in()
    root = Client(application, session=make_session(application, owner.user.email))
    answer = root.delete("/api/v1/organization", json={"name": "Acme"})
    assert answer.status_code == 204
    assert browser.role() is None


def test_a_user_of_another_organization_is_refused(
    application: Application, browser: Browser, owner: Member
) -> None:
    """An issuer vouches for people of its own organization only."""
    create_organization(application.storage, name="Evil", owner_email="ada@example.com")
    answer = browser.sign_in()
    assert (answer.status_code, answer.json["code"]) == (403, "other_organization")
    assert browser.role() is None


def test_the_last_owner_stays_one(
    application: Application, browser: Browser, issuer: Issuer, owner: Member
) -> None:
    """Groups that would take the last owner's role away are refused, with what to do."""
    issuer.person["email"] = owner.user.email
    answer = browser.sign_in()
    assert (answer.status_code, answer.json["code"]) == (400, "last_owner")
    member = find_member(application.storage, owner.user.email)
    assert member is not None
    assert member.user.role == "owner"


def test_a_session_that_was_brought_along_ends(
    application: Application, browser: Browser, owner: Member
) -> None:
    """Whoever planted a session in the browser is not signed in with the person."""
    planted = make_session(application, owner.user.email)
    browser.cookies["session"] = planted
    browser.sign_in()
    assert browser.cookies["session"] != planted
    assert browser.role() == "editor"
    assert Client(application, session=planted).get("/api/v1/auth/me").status_code == 401


def test_a_code_is_good_once(browser: Browser) -> None:
    """Who kept cookie and parameters of a sign-in cannot repeat it."""
    location = browser.begin()
    kept = dict(browser.cookies)
    params = visit(location)
    assert browser.come_back(params).status_code == 303
    thief = Browser(browser.app)
    thief.cookies = kept
    answer = thief.come_back(params)
    assert (answer.status_code, answer.json["code"]) == (401, "sign_in_refused")
    assert thief.role() is None


def test_no_header_says_where_we_are(browser: Browser) -> None:
    """The way back is built from IPCRAFT_PUBLIC_URL, whatever a request claims."""
    forged = {
        "Host": "evil.example",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "Forwarded": "host=evil.example;proto=https",
    }
    location = browser.get(LOGIN, headers=forged).headers["location"]
    assert query_of(location)["redirect_uri"] == f"{PUBLIC_URL}{CALLBACK}"
    answer = browser.come_back(visit(location), headers=forged)
    assert urlsplit(answer.headers["location"]).netloc == urlsplit(PUBLIC_URL).netloc


def test_an_organization_that_is_not_there_lets_nobody_in(opened: Open, clock: Clock) -> None:
    """The operator reads why in the log; people are told to wait."""
    browser = Browser(opened(organization="Nowhere"))
    assert browser.sign_in().status_code == 503
    assert browser.role() is None
