"""Sessions: who is recognized by a cookie, for how long, and what ends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import falcon.testing
import pytest
from sqlalchemy import func, select

from ipcraft.plugin import Application, StartError, Statement, Unauthenticated, is_id
from ipcraft.testing import Client, Clock, make_application, make_session
from ipcraft_accounts import Member, begin_session, end_session, find_member, new_token
from ipcraft_accounts.authentication import SessionBackend
from ipcraft_accounts.tables import sessions
from ipcraft_apikeys import create_key

Sign = Callable[[str], Client]
Add = Callable[..., Member]
ME = "/api/v1/auth/me"
SESSIONS = "/api/v1/auth/sessions"
LOGOUT = "/api/v1/auth/logout"
DAY = 24
_COUNT = Statement(select(func.count()).select_from(sessions))


def backend_of(application: Application) -> SessionBackend:
    """Give the application's backend of sessions."""
    (found,) = (b for b in application.auth_backends if isinstance(b, SessionBackend))
    return found


def count(application: Application) -> int:
    """Count the sessions of everybody."""
    with application.storage.read_system() as tx:
        return int(tx.value(_COUNT))


class Recognition:
    """Ask the backend alone, and count the queries of the last time."""

    def __init__(self, application: Application, monkeypatch: pytest.MonkeyPatch) -> None:
        self.queries = 0
        self._backend = backend_of(application)
        look_up = type(application.storage).look_up

        def counted(storage: Any, statement: Any, /, **parameters: Any) -> Any:
            self.queries += 1
            return look_up(storage, statement, **parameters)

        monkeypatch.setattr(type(application.storage), "look_up", counted)

    def __call__(self, cookie: str | None, **headers: str) -> Any:
        """Give the identity behind a cookie header."""
        self.queries = 0
        sent = headers if cookie is None else {"Cookie": cookie, **headers}
        return self._backend.authenticate(falcon.testing.create_req(headers=sent))


@pytest.fixture
def recognize(application: Application, monkeypatch: pytest.MonkeyPatch) -> Recognition:
    """Give a way to ask the backend who sends a request with this cookie."""
    return Recognition(application, monkeypatch)


def test_a_session_tells_organization_user_role_and_plan(
    application: Application, recognize: Recognition, ada: Member
) -> None:
    """All that is known of the sender comes from one query."""
    token = make_session(application, ada.user.email)
    identity = recognize(f"session={token}")
    assert recognize.queries == 1
    assert identity.organization_id == ada.organization.id
    assert identity.user_id == ada.user.id
    assert (identity.role, identity.plan, identity.scheme) == ("owner", "teams", "session")
    assert is_id(identity.credential_id, "ses")
    assert identity.ambient


@pytest.mark.parametrize(
    "cookie",
    [None, "", "session=", "session=stale", "session=eyJ1c2VyIjoxfQ.abc", f"other={new_token()}"],
)
def test_other_cookies_are_left_to_other_backends(
    recognize: Recognition, cookie: str | None
) -> None:
    """What has not a token's form is another program's, and costs no query."""
    assert recognize(cookie) is None
    assert recognize.queries == 0


def test_an_unknown_token_is_refused(recognize: Recognition) -> None:
    """A well-formed token that nobody was given opens nothing."""
    with pytest.raises(Unauthenticated, match="ended"):
        recognize(f"session={new_token()}")


def test_a_second_cookie_makes_both_worthless(
    application: Application, recognize: Recognition, ada: Member
) -> None:
    """A neighbouring host may set a cookie for us; nobody is signed in as whom it likes."""
    token = make_session(application, ada.user.email)
    assert recognize(f"session={token}; session={new_token()}") is None
    assert recognize(f"session={token}; session={token}") is not None


def test_the_token_is_stored_nowhere(application: Application, ada: Member) -> None:
    """Only a hash of 32 bytes is kept."""
    token = begin_session(application, ada, method="test", user_agent="Firefox")
    with application.storage.read_system() as tx:
        (row,) = tx.all(Statement(select(sessions)))
    kept = dict(zip(sessions.c.keys(), row, strict=True))
    assert len(kept["token_hash"]) == 32
    assert not any(token in str(value) for value in row)


def test_each_sign_in_has_a_token_of_256_bits_of_its_own(
    application: Application, ada: Member
) -> None:
    """No two sign-ins share a token."""
    tokens = {begin_session(application, ada, method="test") for _ in range(5)}
    assert len(tokens) == 5
    assert {len(token) for token in tokens} == {43}


def test_a_session_follows_its_user(
    application: Application, browser: Client, sign_in: Sign, add: Add
) -> None:
    """Whoever gets another role has it in the next request."""
    editor = add("editor")
    theirs = sign_in(editor.user.email)
    assert theirs.get(ME).json["role"] == "editor"
    browser.patch(f"/api/v1/users/{editor.user.id}", json={"role": "viewer"})
    assert theirs.get(ME).json["role"] == "viewer"
    assert theirs.post("/api/v1/sections", json={"name": "A"}).status_code == 403


def test_a_session_ends_after_30_days(
    application: Application, browser: Client, clock: Clock
) -> None:
    """However often it is used: it opens until the second of its end and not in it."""
    for _ in range(29):
        clock.advance(hours=DAY)
        assert browser.get(ME).status_code == 200
        backend_of(application).last_used.settle()
    clock.advance(hours=DAY, seconds=-1)
    assert browser.get(ME).status_code == 200
    clock.advance(seconds=1)
    answer = browser.get(ME)
    assert (answer.status_code, answer.json["code"]) == (401, "session_ended")


def test_a_session_ends_after_7_idle_days(browser: Client, clock: Clock) -> None:
    """Nobody's request in 7 days ends it."""
    clock.advance(hours=7 * DAY, seconds=-1)
    assert browser.get(ME).status_code == 200
    clock.advance(hours=7 * DAY)
    assert browser.get(ME).status_code == 401


def test_a_use_puts_the_idle_end_off(
    application: Application, browser: Client, clock: Clock
) -> None:
    """7 days count from the last request."""
    clock.advance(hours=6 * DAY)
    browser.get(ME)
    backend_of(application).last_used.settle()
    clock.advance(hours=6 * DAY)
    assert browser.get(ME).status_code == 200


def test_the_time_of_use_is_written_once_a_minute(
    application: Application, browser: Client, clock: Clock
) -> None:
    """Requests of the same minute write nothing."""
    before = browser.get(SESSIONS).json[0]["last_used_at"]
    clock.advance(seconds=59)
    browser.get(ME)
    backend_of(application).last_used.settle()
    assert browser.get(SESSIONS).json[0]["last_used_at"] == before
    clock.advance(seconds=1)
    browser.get(ME)
    backend_of(application).last_used.settle()
    assert browser.get(SESSIONS).json[0]["last_used_at"] == "2026-03-01T12:01:00Z"


def test_a_sign_in_removes_what_has_ended(
    application: Application, ada: Member, clock: Clock
) -> None:
    """Sessions past their end leave no rows behind."""
    for _ in range(3):
        begin_session(application, ada, method="test")
    clock.advance(hours=8 * DAY)
    begin_session(application, ada, method="test")
    assert count(application) == 1


def test_logout_ends_the_session_on_the_server(
    application: Application, browser: Client, sign_in: Sign, ada: Member
) -> None:
    """The token opens nothing any more, whoever kept it; other sessions go on."""
    other = sign_in(ada.user.email)
    answer = browser.post(LOGOUT)
    assert (answer.status_code, answer.text) == (204, "")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("session=")
    assert "expires=Thu, 01 Jan 1970" in cookie
    assert browser.get(ME).status_code == 401
    assert browser.post(LOGOUT).status_code == 401
    assert other.get(ME).status_code == 200
    assert count(application) == 1


def test_a_key_has_no_session_to_end(application: Application, ada: Member) -> None:
    """A key is told how it ends instead."""
    answer = Client(application, key_of(application, ada)).post(LOGOUT)
    assert (answer.status_code, answer.json["code"]) == (400, "no_session")


def test_a_viewer_may_sign_out(sign_in: Sign, add: Add) -> None:
    """What concerns only oneself needs no role."""
    assert sign_in(add("viewer").user.email).post(LOGOUT).status_code == 204


def test_ending_a_session_twice_is_no_error(application: Application, ada: Member) -> None:
    """Whoever signs out twice, or with junk, is signed out."""
    token = begin_session(application, ada, method="test")
    for presented in (token, token, "junk"):
        end_session(application, presented)
    assert count(application) == 0


def test_sessions_are_listed(application: Application, browser: Client, ada: Member) -> None:
    """One's own, the newest first, with what tells them apart and without a token."""
    token = begin_session(application, ada, method="oidc", user_agent="Firefox " + "x" * 999)
    newest, current = browser.get(SESSIONS).json
    assert newest == {
        "id": newest["id"],
        "method": "oidc",
        "user_agent": ("Firefox " + "x" * 999)[:255],
        "current": False,
        "created_at": "2026-03-01T12:00:00Z",
        "last_used_at": "2026-03-01T12:00:00Z",
        "expires_at": "2026-03-08T12:00:00Z",
    }
    assert is_id(newest["id"], "ses")
    assert current["current"]
    assert token not in browser.get(SESSIONS).text


def test_sessions_are_listed_in_pages(
    application: Application, browser: Client, ada: Member
) -> None:
    """A page is a part of the whole list, and says how long that is."""
    for _ in range(4):
        begin_session(application, ada, method="test")
    whole = browser.get(SESSIONS).json
    for limit, offset in ((1, 0), (2, 1), (2, 4), (5, 0), (3, 9)):
        answer = browser.get(SESSIONS, params={"limit": limit, "offset": offset})
        assert answer.json == whole[offset : offset + limit]
        assert answer.headers["X-Total-Count"] == "5"
        assert ('rel="next"' in answer.headers["Link"]) == (offset + limit < 5)
    assert browser.get(SESSIONS, params={"limit": 0}).status_code == 400


def test_sessions_of_others_are_not_listed(browser: Client, sign_in: Sign, add: Add) -> None:
    """Not even a colleague's."""
    sign_in(add("admin").user.email)
    assert len(browser.get(SESSIONS).json) == 1


def test_a_session_past_its_end_is_not_listed(
    application: Application, ada: Member, sign_in: Sign, clock: Clock
) -> None:
    """What opens nothing is not shown."""
    begin_session(application, ada, method="test")
    clock.advance(hours=8 * DAY)
    assert Client(application, key_of(application, ada)).get(SESSIONS).json == []


def test_one_session_is_ended(browser: Client, sign_in: Sign, ada: Member) -> None:
    """The session of a lost machine ends from another one."""
    lost = sign_in(ada.user.email)
    (identifier,) = (each["id"] for each in browser.get(SESSIONS).json if not each["current"])
    answer = browser.delete(f"{SESSIONS}/{identifier}")
    assert answer.status_code == 204
    assert "set-cookie" not in answer.headers
    assert lost.get(ME).status_code == 401
    assert browser.delete(f"{SESSIONS}/{identifier}").status_code == 404


def test_ending_the_current_session_clears_its_cookie(browser: Client) -> None:
    """It is a logout by another name."""
    (current,) = browser.get(SESSIONS).json
    answer = browser.delete(f"{SESSIONS}/{current['id']}")
    assert "expires=Thu, 01 Jan 1970" in answer.headers["set-cookie"]
    assert browser.get(ME).status_code == 401


def test_all_other_sessions_are_ended(browser: Client, sign_in: Sign, add: Add) -> None:
    """The one that asks stays, and so do other people's."""
    mine = sign_in("ada@example.com")
    theirs = sign_in(add("admin").user.email)
    assert browser.delete(SESSIONS).status_code == 204
    assert [client.get(ME).status_code for client in (browser, mine, theirs)] == [200, 401, 200]


@pytest.mark.parametrize("whose", ["colleague", "stranger"])
def test_sessions_of_others_do_not_exist(
    application: Application, browser: Client, sign_in: Sign, add: Add, whose: str
) -> None:
    """Another's session id is answered as one that does not exist, and the session lives on."""
    email = add("admin").user.email if whose == "colleague" else stranger(application)
    theirs = sign_in(email)
    identifier = theirs.get(SESSIONS).json[0]["id"]
    there = browser.delete(f"{SESSIONS}/{identifier}")
    nowhere = browser.delete(f"{SESSIONS}/ses_01jx0000000000000000000000")
    assert there.status_code == nowhere.status_code == 404
    assert there.json["error"] == nowhere.json["error"]
    assert theirs.get(ME).status_code == 200


@pytest.mark.parametrize("identifier", ["1", "%00", "%ff", "ses_" + "z" * 26, "ses_" + "0" * 9000])
def test_junk_is_no_session(browser: Client, identifier: str) -> None:
    """What is no id is answered as an id that does not exist."""
    assert browser.delete(f"{SESSIONS}/{identifier}").status_code == 404


@pytest.mark.parametrize("order", [[], ["session", "api_key"], ["api_key", "session"]])
def test_the_key_counts_beside_a_cookie(database_url: str, clock: Clock, order: list[str]) -> None:
    """A request with both uses the key, whatever the order of the backends."""
    for app in applications(database_url, clock, {"auth_order": order}):
        member = Member(*organization(app, "both@example.com"))
        key = key_of(app, member, role="viewer")
        for session in (make_session(app, "both@example.com"), new_token(), "junk"):
            client = Client(app, key, session=session)
            assert client.get(ME).json["role"] == "viewer"
            refused = client.post("/api/v1/sections", json={"name": "A"})
            assert (refused.status_code, refused.json["code"]) == (403, "forbidden")


def test_a_bad_key_is_not_made_good_by_a_cookie(application: Application, browser: Client) -> None:
    """The key counts, so its fault counts too."""
    for token in ("ipc_junk", "junk"):
        headers = {"Authorization": f"Bearer {token}"}
        assert browser.get(ME, headers=headers).status_code == 401


def test_the_backends_are_asked_in_the_order_of_the_settings(
    database_url: str, clock: Clock
) -> None:
    """Those that are named come first; the others follow in the order of the plugins."""
    for app in applications(database_url, clock, {"auth_order": ["api_key"]}):
        assert [backend.name for backend in app.auth_backends] == ["api_key", "session"]
    for app in applications(database_url, clock, {}):
        assert [backend.name for backend in app.auth_backends] == ["session", "api_key"]


def test_an_unknown_backend_in_the_order_stops_the_start(database_url: str, clock: Clock) -> None:
    """With the nearest name and those there are."""
    with pytest.raises(StartError, match=r"named sesion.*session.*known: session, api_key"):
        make_application(database_url, settings={"auth_order": ["sesion"]}, clock=clock)


def organization(app: Application, email: str) -> Any:
    """Make an organization with this owner."""
    from ipcraft_accounts import create_organization

    return create_organization(app.storage, name="Other", owner_email=email)


def stranger(app: Application) -> str:
    """Make another organization and give its owner's address."""
    organization(app, "eve@example.com")
    assert find_member(app.storage, "eve@example.com") is not None
    return "eve@example.com"


def key_of(app: Application, member: Member, *, role: str = "owner") -> str:
    """Make a key of the member."""
    return app.storage.transact(
        member.organization.id,
        lambda tx: create_key(tx, name="CI", role=role, user_id=member.user.id, maker_role="owner"),
    ).secret


def applications(
    database_url: str, clock: Clock, settings: dict[str, Any]
) -> Iterator[Application]:
    """Give one application with these settings, and close it."""
    app = make_application(database_url, settings=settings, clock=clock)
    try:
        yield app
    finally:
        app.close()
