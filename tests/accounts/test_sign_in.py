"""Signing a browser in: the cookie it gets, and what becomes of the one it brought."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.cookies import SimpleCookie
from typing import Any

import falcon
import falcon.testing
import pytest

from ipcraft.plugin import Application
from ipcraft.testing import Client, Clock, make_application, make_session
from ipcraft_accounts import (
    Member,
    clear_session_cookie,
    create_organization,
    session_token,
    sign_in,
)

ME = "/api/v1/auth/me"
Open = Callable[..., Application]


class Door:
    """Sign everybody in as the one member, as a sign-in plugin would."""

    def __init__(self, app: Application, member: Member) -> None:
        self._app = app
        self._member = member

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Open."""
        sign_in(self._app, req, resp, member=self._member, method="door")

    def on_delete(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Close."""
        clear_session_cookie(self._app, resp)


@pytest.fixture
def door(application: Application, ada: Member) -> falcon.testing.TestClient:
    """Give a client of a door."""
    return door_of(application, ada)


@pytest.fixture
def opened(database_url: str, clock: Clock) -> Iterator[Open]:
    """Give a way to open applications of other settings, each closed in the end."""
    apps: list[Application] = []

    def make(**settings: Any) -> Application:
        apps.append(make_application(database_url, settings=settings, clock=clock))
        return apps[-1]

    yield make
    for app in apps:
        app.close()


def door_of(app: Application, member: Member) -> falcon.testing.TestClient:
    """Make a door into the application."""
    falcon_app: falcon.App[Any, Any] = falcon.App()
    falcon_app.add_route("/door", Door(app, member))
    return falcon.testing.TestClient(falcon_app)


def cookie_of(answer: falcon.testing.Result) -> Any:
    """Give the session cookie that an answer sets, with its attributes."""
    return SimpleCookie(answer.headers["set-cookie"])["session"]


def test_a_sign_in_sets_a_cookie_that_opens(
    application: Application, door: falcon.testing.TestClient
) -> None:
    """The token in the cookie is a session of the member."""
    answer = door.simulate_get("/door", headers={"User-Agent": "Firefox"})
    browser = Client(application, session=cookie_of(answer).value)
    (session,) = browser.get("/api/v1/auth/sessions").json
    assert (session["method"], session["user_agent"]) == ("door", "Firefox")


def test_no_script_reads_the_cookie_and_no_other_site_sends_it(
    door: falcon.testing.TestClient,
) -> None:
    """HttpOnly, SameSite=Lax, for all paths, as long as a session can last."""
    cookie = cookie_of(door.simulate_get("/door"))
    assert cookie["httponly"]
    assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("Lax", "/", "")
    assert cookie["max-age"] == str(30 * 86_400)


def test_no_cache_keeps_an_answer_with_a_token(door: falcon.testing.TestClient) -> None:
    """Whatever proxy is between us and the browser."""
    assert door.simulate_get("/door").headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("public_url", "secure"),
    [("https://ipam.example.com", True), ("http://ipam.example.com", False), (None, False)],
)
def test_the_cookie_is_secure_where_the_public_url_is(
    opened: Open,
    ada: Member,
    public_url: str | None,
    secure: bool,  # noqa: FBT001
) -> None:
    """An https public URL keeps the cookie off plain connections, when it is cleared too."""
    app = opened(public_url=public_url) if public_url else opened()
    client = door_of(app, ada)
    for answer in (client.simulate_get("/door"), client.simulate_delete("/door")):
        assert bool(cookie_of(answer)["secure"]) is secure
        assert cookie_of(answer)["httponly"]


def test_forwarding_headers_do_not_make_the_cookie_secure(
    door: falcon.testing.TestClient,
) -> None:
    """Only the settings say how we are reached."""
    answer = door.simulate_get("/door", headers={"X-Forwarded-Proto": "https"})
    assert not cookie_of(answer)["secure"]


def test_a_session_that_was_brought_along_is_never_adopted(
    application: Application, door: falcon.testing.TestClient, ada: Member
) -> None:
    """Whoever planted a token in the browser is signed out, not in (session fixation)."""
    eve = Member(
        *create_organization(application.storage, name="Evil", owner_email="eve@example.com")
    )
    planted = make_session(application, eve.user.email)
    answer = door.simulate_get("/door", headers={"Cookie": f"session={planted}"})
    token = cookie_of(answer).value
    assert token != planted
    assert Client(application, session=planted).get(ME).status_code == 401
    assert Client(application, session=token).get(ME).json["user"]["id"] == ada.user.id


@pytest.mark.parametrize("cookie", ["session=junk", f"session={'x' * 43}", "session="])
def test_a_token_of_ones_own_making_is_not_taken(
    door: falcon.testing.TestClient, cookie: str
) -> None:
    """The new token is ours, whatever the browser sent."""
    answer = door.simulate_get("/door", headers={"Cookie": cookie})
    assert answer.status_code == 200
    assert cookie_of(answer).value != cookie.partition("=")[2]


def test_each_sign_in_has_a_new_token(door: falcon.testing.TestClient) -> None:
    """The same browser gets another one, and the old one ends."""
    first = cookie_of(door.simulate_get("/door")).value
    second = cookie_of(door.simulate_get("/door", headers={"Cookie": f"session={first}"})).value
    assert first != second


def test_a_cleared_cookie_is_gone(door: falcon.testing.TestClient) -> None:
    """It is emptied, and its time has passed."""
    cookie = cookie_of(door.simulate_delete("/door"))
    assert (cookie.value, cookie["expires"]) == ("", "Thu, 01 Jan 1970 00:00:00 GMT")


def test_the_token_of_a_request_is_its_cookies() -> None:
    """What is no token is none."""
    for cookie, token in ((f"session={'x' * 43}", "x" * 43), ("session=junk", None), ("", None)):
        req = falcon.testing.create_req(headers={"Cookie": cookie})
        assert session_token(req) == token
