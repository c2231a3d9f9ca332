"""What must not let anybody in. After each attempt there is no session, no user and no cookie."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote_plus

import pytest
import requests
from ipcraft_oidc.attempts import LIFETIME
from joserfc import jwt
from joserfc.jwk import Key, OctKey, RSAKey
from joserfc.jws import JWSRegistry
from sqlalchemy import func, select

from ipcraft.plugin import Application, Statement
from ipcraft.testing import Clock
from ipcraft_accounts import Member, metadata, users

from .browser import CALLBACK, LOGIN, Browser, query_of, visit
from .issuer import CLIENT_ID, SECRET, Issuer, new_key

Alter = Callable[[dict[str, Any], int], dict[str, Any]]

_SESSIONS = Statement(select(func.count()).select_from(metadata.tables["sessions"]))
_USERS = Statement(select(func.count()).select_from(users))
_SKEW = 60


@pytest.fixture(autouse=True)
def _nobody_gets_in(application: Application, owner: Member) -> Iterator[None]:
    """Look afterwards whether somebody got in."""
    yield
    with application.storage.read_system() as tx:
        assert (tx.value(_SESSIONS), tx.value(_USERS)) == (0, 1)


def refused(answer: Any, status: int = 401, code: str = "sign_in_refused") -> None:
    """Check that an answer refuses, and signs nobody in."""
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.text
    assert "session" not in answer.cookies
    assert "location" not in answer.headers


def encoded(value: dict[str, Any]) -> str:
    """Give a part of a token."""
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def by_hand(secret: bytes, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """Sign with a secret, as careless libraries would with any."""
    text = f"{encoded(header)}.{encoded(claims)}"
    signature = hmac.digest(secret, text.encode(), "sha256")
    return f"{text}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def without(*names: str) -> Alter:
    """Give what takes claims away."""
    return lambda claims, _: {name: claims[name] for name in claims if name not in names}


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", ""])
def test_a_token_that_nobody_signed(browser: Browser, issuer: Issuer, algorithm: str) -> None:
    """The algorithm none is none, however it is spelled."""
    header = {"alg": algorithm, "kid": issuer.key.kid}
    issuer.signed = lambda claims: f"{encoded(header)}.{encoded(claims)}."
    refused(browser.sign_in())


@pytest.mark.parametrize("form", ["pem", "der", "jwk"])
def test_a_token_signed_with_the_public_key_as_a_secret(
    browser: Browser, issuer: Issuer, form: str
) -> None:
    """What everybody can read is no secret (RFC 8725, section 2.1)."""
    assert isinstance(issuer.key, RSAKey)
    text = {
        "pem": issuer.key.as_pem(private=False),
        "der": issuer.key.as_der(private=False),
        "jwk": json.dumps(issuer.key.as_dict(private=False)).encode(),
    }[form]
    header = {"alg": "HS256", "kid": issuer.key.kid}
    issuer.signed = lambda claims: by_hand(text, header, claims)
    refused(browser.sign_in())


def test_a_symmetric_key_among_the_published(browser: Browser, issuer: Issuer) -> None:
    """Even if the issuer publishes one, nobody signs in by it."""
    secret = OctKey.generate_key(256)
    secret.ensure_kid()
    issuer.published = [issuer.key]
    key_set = {"keys": [*issuer.key_set()["keys"], secret.as_dict(private=True)]}
    issuer.failing["/keys"] = (200, json.dumps(key_set))
    header = {"alg": "HS256", "kid": secret.kid}
    issuer.signed = lambda claims: jwt.encode(header, claims, secret, algorithms=["HS256"])
    refused(browser.sign_in())


def test_a_token_signed_with_the_clients_secret(browser: Browser, issuer: Issuer) -> None:
    """The standard knows HS256 by the client's secret; we do not take it."""
    secret = OctKey.import_key(SECRET * 2)
    header = {"alg": "HS256", "kid": issuer.key.kid}
    issuer.signed = lambda claims: jwt.encode(header, claims, secret, algorithms=["HS256"])
    refused(browser.sign_in())


def test_a_token_signed_by_another_key_under_a_known_id(
    browser: Browser, issuer: Issuer, keys: list[Key]
) -> None:
    """The signature counts, not what the header says."""
    header = {"alg": "RS256", "kid": issuer.key.kid}
    issuer.signed = lambda claims: jwt.encode(header, claims, keys[1])
    refused(browser.sign_in())


def test_a_token_signed_by_an_unknown_key(
    browser: Browser, issuer: Issuer, keys: list[Key]
) -> None:
    """A key that is not published is nobody's."""
    issuer.published = [keys[1], keys[2]]
    refused(browser.sign_in())


@pytest.mark.parametrize("what", ["jwk", "jku"])
def test_a_token_that_brings_its_key_along(
    browser: Browser, issuer: Issuer, keys: list[Key], what: str
) -> None:
    """Neither a key nor an address of keys in the header is looked at."""
    brought = {"jwk": keys[1].as_dict(private=False), "jku": f"{issuer.url}/keys"}[what]
    header = {"alg": "RS256", "kid": keys[1].kid, what: brought}
    registry = JWSRegistry(strict_check_header=False)
    registry.max_header_length = 4096
    issuer.signed = lambda claims: jwt.encode(header, claims, keys[1], registry=registry)
    refused(browser.sign_in())


def test_two_keys_and_no_word_which(browser: Browser, issuer: Issuer, keys: list[Key]) -> None:
    """Without an id, a key is taken only where there is one."""
    issuer.published = keys
    issuer.signed = lambda claims: jwt.encode({"alg": "RS256"}, claims, keys[0])
    refused(browser.sign_in())


def test_a_key_for_another_algorithm(browser: Browser, issuer: Issuer) -> None:
    """An elliptic key verifies no RSA signature."""
    issuer.published = [new_key("EC")]
    header = {"alg": "RS256", "kid": issuer.published[0].kid}
    issuer.signed = lambda claims: jwt.encode(header, claims, issuer.key)
    refused(browser.sign_in())


def test_a_token_that_was_altered(browser: Browser, issuer: Issuer) -> None:
    """Other claims under the old signature are worth nothing."""

    def forged(claims: dict[str, Any]) -> str:
        head, _, signature = issuer.sign(claims).split(".")
        return f"{head}.{encoded({**claims, 'groups': ['ipam-admins']})}.{signature}"

    issuer.signed = forged
    refused(browser.sign_in())


@pytest.mark.parametrize("token", ["", "a", "a.b", "a.b.c", "..", "{}", "a.b.c.d.e", "é.ü.ö"])
def test_what_is_no_token(browser: Browser, issuer: Issuer, token: str) -> None:
    """Junk is answered as a forgery is."""
    issuer.signed = lambda _: token
    refused(browser.sign_in())


@pytest.mark.parametrize("depth", [500, 5000])
def test_a_token_nested_too_deep(browser: Browser, issuer: Issuer, depth: int) -> None:
    """What would exhaust the parser is junk too."""
    deep = urlsafe_b64encode(b"[" * depth).rstrip(b"=").decode()
    issuer.signed = lambda _: f"{deep}.{deep}.{deep}"
    refused(browser.sign_in())


WRONG: dict[str, Alter] = {
    "another issuer": lambda claims, _: {**claims, "iss": "https://evil.example"},
    "an issuer with a slash more": lambda claims, _: {**claims, "iss": f"{claims['iss']}/"},
    "a list of issuers": lambda claims, _: {**claims, "iss": [claims["iss"]]},
    "no issuer": without("iss"),
    "another audience": lambda claims, _: {**claims, "aud": "another client"},
    "several others": lambda claims, _: {**claims, "aud": ["a", "b"]},
    "us among others": lambda claims, _: {**claims, "aud": [CLIENT_ID, "b"]},
    "for another party": lambda claims, _: {**claims, "aud": [CLIENT_ID, "b"], "azp": "b"},
    "by another party": lambda claims, _: {**claims, "azp": "b"},
    "an audience of a longer name": lambda claims, _: {**claims, "aud": f"{CLIENT_ID} too"},
    "no audience": without("aud"),
    "an empty audience": lambda claims, _: {**claims, "aud": []},
    "another nonce": lambda claims, _: {**claims, "nonce": "x" * 43},
    "a list of nonces": lambda claims, _: {**claims, "nonce": [claims["nonce"]]},
    "an empty nonce": lambda claims, _: {**claims, "nonce": ""},
    "no nonce": without("nonce"),
    "expired": lambda claims, now: {**claims, "exp": now - _SKEW},
    "expired long ago": lambda claims, _: {**claims, "exp": 0},
    "no end": without("exp"),
    "an end that is a text": lambda claims, now: {**claims, "exp": str(now + 300)},
    "not yet valid": lambda claims, now: {**claims, "nbf": now + _SKEW + 1},
    "issued in the future": lambda claims, now: {**claims, "iat": now + _SKEW + 1},
    "no time of issue": without("iat"),
    "no subject": without("sub"),
    "an empty subject": lambda claims, _: {**claims, "sub": ""},
    "a subject that is none": lambda claims, _: {**claims, "sub": ["ada-0001"]},
    "a subject with a NUL": lambda claims, _: {**claims, "sub": "ada\0"},
    "a subject that is too long": lambda claims, _: {**claims, "sub": "a" * 256},
}


@pytest.mark.parametrize("what", WRONG)
def test_a_token_with_wrong_claims(
    browser: Browser, issuer: Issuer, clock: Clock, what: str
) -> None:
    """Everything about it must be right, though it is well signed."""
    issuer.altered = lambda claims: WRONG[what](claims, int(clock()))
    refused(browser.sign_in())


@pytest.mark.parametrize("text", ['{"id_token": 5}', "{}", '{"id_token": null}'])
def test_no_token_at_all(browser: Browser, issuer: Issuer, text: str) -> None:
    """An answer without an ID token signs nobody in."""
    issuer.failing["/token"] = (200, text)
    refused(browser.sign_in())


def test_the_user_info_of_somebody_else(browser: Browser, issuer: Issuer) -> None:
    """It counts for the subject of the ID token only (OpenID Connect Core, 5.3.2)."""
    issuer.in_id_token = ()
    for sub in ("eve-0002", None):
        issuer.userinfo = {**issuer.person, "sub": sub}
        refused(browser.sign_in())


def test_the_state_of_another_browser(application: Application, browser: Browser) -> None:
    """Nobody is made to come back from a way that somebody else began (login CSRF)."""
    attacker = Browser(application)
    params = visit(attacker.begin())
    refused(browser.come_back(params), code="sign_in_not_begun")
    browser.begin()
    refused(browser.come_back(params), code="sign_in_not_begun")


@pytest.mark.parametrize("state", ["", "x", "é", "x" * 43, "x" * 5000])
def test_a_state_that_we_did_not_give(browser: Browser, state: str) -> None:
    """A state of one's own making is none."""
    params = visit(browser.begin())
    refused(browser.come_back({**params, "state": state}), code="sign_in_not_begun")


def test_a_state_that_is_not_there_or_twice(browser: Browser) -> None:
    """It must come once."""
    params = visit(browser.begin())
    state = params.pop("state")
    refused(browser.come_back(params), code="sign_in_not_begun")
    both = f"code={params['code']}&state={state}&state={state}"
    refused(browser.get(CALLBACK, query_string=both), status=400, code="invalid")


def test_a_state_that_came_too_late(browser: Browser, issuer: Issuer, clock: Clock) -> None:
    """A person has ten minutes, to the second."""
    params = visit(browser.begin())
    clock.advance(seconds=LIFETIME)
    refused(browser.come_back(params), code="sign_in_not_begun")
    assert issuer.count("/token") == 0


def test_a_cookie_that_we_did_not_seal(browser: Browser, application: Application) -> None:
    """An attempt cannot be made up, altered, mixed, or given twice."""
    params = visit(browser.begin())
    ours = browser.cookies["oidc"]
    content, seal = ours.split(".")
    other = Browser(application)
    other.begin()
    theirs = other.cookies["oidc"]
    attempts = [
        "",
        ".",
        content,
        f"{content}.",
        f".{seal}",
        f"{content}x.{seal}",
        f"{content}.{seal[:-1]}",
        f"{content}.{theirs.split('.')[1]}",
        f"{theirs.split('.')[0]}.{seal}",
        theirs,
        "é.é",
        f"{ours}; oidc={theirs}",
    ]
    for cookie in attempts:
        browser.cookies["oidc"] = cookie
        refused(browser.come_back(params), code="sign_in_not_begun")


def test_a_code_that_was_spent(browser: Browser, issuer: Issuer) -> None:
    """Whoever was faster with a code has spoiled it, and nothing more."""
    params = visit(browser.begin())
    assert redeem(issuer, params["code"]).status_code == 400
    refused(browser.come_back(params))
    assert issuer.count("/token") == 2


def test_a_stolen_code_in_another_browser(application: Application, browser: Browser) -> None:
    """A code is tied to the verifier of the browser that asked for it (RFC 7636)."""
    stolen = visit(browser.begin())
    thief = Browser(application)
    state = query_of(thief.begin())["state"]
    refused(thief.come_back({**stolen, "state": state}))


def test_a_code_without_a_verifier(browser: Browser, issuer: Issuer) -> None:
    """Even with the client's secret, nobody but the one who began has the verifier."""
    answer = redeem(issuer, visit(browser.begin())["code"])
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_grant"})


def redeem(issuer: Issuer, code: str) -> requests.Response:
    """Bring a code and the client's secret, but no verifier."""
    return requests.post(
        f"{issuer.url}/token",
        data={
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": issuer.redirect_uri,
        },
        auth=(quote_plus(CLIENT_ID), quote_plus(SECRET)),
        timeout=10,
    )


@pytest.mark.parametrize("code", [None, "", "x", "é", "x" * 5000])
def test_a_code_that_is_none(browser: Browser, code: str | None) -> None:
    """A code of one's own making is refused by the issuer, and none before that."""
    params = visit(browser.begin())
    del params["code"]
    refused(browser.come_back(params if code is None else {**params, "code": code}))


@pytest.mark.parametrize("iss", [None, "", "https://evil.example"])
def test_the_way_back_from_another_issuer(
    browser: Browser, issuer: Issuer, iss: str | None
) -> None:
    """An issuer that names itself must (RFC 9207): a code goes to none but the one it is of."""
    params = visit(browser.begin())
    del params["iss"]
    refused(browser.come_back(params if iss is None else {**params, "iss": iss}))
    assert issuer.count("/token") == 0


@pytest.mark.parametrize(
    ("error", "shown"),
    [("access_denied", "access_denied"), ("<script>", "no code"), ("x" * 99, "no code")],
)
def test_an_error_of_the_issuer(browser: Browser, issuer: Issuer, error: str, shown: str) -> None:
    """Its word is shown, if it is one; its description, which anybody can write, is not."""
    state = query_of(browser.begin())["state"]
    answer = browser.come_back(
        {"error": error, "error_description": "call us", "state": state, "iss": issuer.url}
    )
    refused(answer)
    assert f"({shown})" in answer.json["error"]
    assert "call us" not in answer.text
    assert issuer.count("/token") == 0


@pytest.mark.parametrize("verified", [False, None, "true", 1, "yes", [True]])
def test_an_address_that_nobody_verified(browser: Browser, issuer: Issuer, verified: Any) -> None:
    """Anybody can claim an address; only a plain yes of the issuer counts."""
    issuer.person["email_verified"] = verified
    refused(browser.sign_in(), 403, "email_not_verified")


def test_a_word_about_another_address_verifies_nothing(browser: Browser, issuer: Issuer) -> None:
    """Address and verification come from the same place."""
    issuer.in_id_token = ("email",)
    refused(browser.sign_in(), 403, "email_not_verified")


@pytest.mark.parametrize("email", [None, 5, ["ada@example.com"]])
def test_no_address(browser: Browser, issuer: Issuer, email: Any) -> None:
    """Without an address nobody is known here."""
    issuer.person["email"] = email
    refused(browser.sign_in(), 403, "no_email")


@pytest.mark.parametrize(
    "email", ["", "ada", "ada@example.com\r\nBcc: eve@example.com", "a\0@b.c", "a\ud800@b.cd"]
)
def test_an_address_that_is_none(browser: Browser, issuer: Issuer, email: str) -> None:
    """What is no address is refused as everywhere."""
    issuer.person["email"] = email
    refused(browser.sign_in(), 400, "invalid")


@pytest.mark.parametrize(
    "groups", [[], None, ["staff"], ["IPAM-ADMINS"], "admin", {"ipam-admins": 1}]
)
def test_no_group_that_has_a_role(browser: Browser, issuer: Issuer, groups: Any) -> None:
    """Who is in no group that is mapped does not get in, not even as a viewer."""
    issuer.person["groups"] = groups
    refused(browser.sign_in(), 403, "no_role")


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/a\\..\\evil",
        "javascript:alert(1)",
        "@evil.example",
        ".evil.example",
        "evil",
        "",
        " /",
        "/\r\nSet-Cookie: session=x",
        "/\tevil",
        "/é",
        "/" + "a" * 1000,
    ],
)
def test_the_way_out_to_another_site(browser: Browser, path: str) -> None:
    """`next` leads nowhere but into the app (open redirect)."""
    answer = browser.get(LOGIN, params={"next": path}, headers={})
    assert (answer.status_code, answer.json["fields"].keys()) == (400, {"next"})
    assert "location" not in answer.headers
    assert "set-cookie" not in answer.headers


def test_two_ways_out(browser: Browser) -> None:
    """`next` is given once."""
    answer = browser.get(LOGIN, query_string="next=/a&next=//evil.example")
    assert answer.status_code == 400


def test_a_destination_cannot_be_put_in_later(browser: Browser) -> None:
    """The one that counts is sealed in the cookie."""
    params = visit(browser.begin())
    params["code"] += "x"
    answer = browser.come_back({**params, "next": "//evil.example"})
    refused(answer)


@pytest.mark.parametrize("path", [LOGIN, CALLBACK])
def test_nothing_is_posted(browser: Browser, path: str) -> None:
    """Both ways are GET only."""
    answer = browser.post(path)
    assert answer.status_code == 405
