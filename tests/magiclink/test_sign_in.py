"""Asking for a link, and coming back with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.engine import Dialect

from ipcraft.plugin import Application, CompiledStatement, Statement, is_id
from ipcraft.testing import Clock
from ipcraft.testing.services import MailSink
from ipcraft_accounts import create_organization, create_user, find_member

from .browsers import HTML, JSON, PUBLIC_URL, Browser, form_fields, token_of

Make = Callable[..., Application]
ADA = "ada@example.com"


def link_for(browser: Browser, sink: MailSink, email: str = ADA) -> str:
    """Have a link sent, and give it."""
    before = len(sink.mails)
    assert browser.ask(email).status_code == 200
    return sink.wait_for(before + 1)[-1].link


def test_a_link_is_sent(browser: Browser, sink: MailSink) -> None:
    """The answer is the documented one; the mail has the link as text and as HTML."""
    answer = browser.ask(" Ada@Example.com ")
    assert (answer.status_code, answer.json) == (200, {"message": "magic link sent"})
    (mail,) = sink.wait_for(1)
    assert mail.recipients == (ADA,)
    assert mail.message["Subject"] == "Sign in to IPCraft"
    assert mail.link.startswith(f"{PUBLIC_URL}/api/v1/auth/verify?token=")
    assert f'href="{mail.link}"' in mail.html
    assert len(token_of(mail.link)) == 43


def test_the_first_sign_in_makes_user_and_organization(browser: Browser, sink: MailSink) -> None:
    """The documented body, and a session for who it is about."""
    answer = browser.open(link_for(browser, sink), headers=JSON)
    assert answer.status_code == 200
    user, organization = answer.json["user"], answer.json["organization"]
    assert is_id(user["id"], "usr")
    assert is_id(organization["id"], "org")
    assert (user["email"], user["name"], organization["name"]) == (ADA, "ada", "ada's Org")
    assert browser.me().json["user"] == user


def test_a_browser_is_sent_to_the_app(browser: Browser, sink: MailSink) -> None:
    """303 to the public URL, with a session; the nonce has served."""
    answer = browser.open(link_for(browser, sink))
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PUBLIC_URL}/")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert set(browser.cookies) == {"session"}
    assert browser.me().status_code == 200


def test_a_client_that_takes_anything_gets_the_documented_body(
    browser: Browser, sink: MailSink
) -> None:
    """A program that keeps cookies works as the reference says, without an Accept header."""
    answer = browser.open(link_for(browser, sink), headers={"Accept": "*/*"})
    assert answer.status_code == 200
    assert answer.json["user"]["email"] == ADA


def test_cookies_are_as_they_should_be(browser: Browser, sink: MailSink) -> None:
    """HttpOnly, Secure, SameSite=Lax, Path=/; the nonce lasts as long as the link."""
    asked = browser.ask(ADA).cookies["magic_link"]
    assert (asked.http_only, asked.secure, asked.same_site) == (True, True, "Lax")
    assert (asked.path, asked.max_age) == ("/", 600)
    session = browser.open(sink.wait_for(1)[0].link).cookies["session"]
    assert (session.http_only, session.secure, session.same_site) == (True, True, "Lax")
    assert (session.path, session.max_age) == ("/", 30 * 86_400)


def test_a_nonce_that_has_served_is_forgotten(browser: Browser, sink: MailSink) -> None:
    """Its cookie is taken back with a time that has passed; that it is empty is not enough."""
    answer = browser.open(link_for(browser, sink))
    taken_back = answer.cookies["magic_link"]
    assert taken_back.value == ""
    assert taken_back.expires is not None
    assert taken_back.expires.year == 1970
    assert (taken_back.path, taken_back.http_only, taken_back.secure) == ("/", True, True)


def test_a_second_sign_in_is_the_same_person(browser: Browser, sink: MailSink) -> None:
    """Whoever has a user gets no second one."""
    first = browser.open(link_for(browser, sink), headers=JSON).json
    assert browser.open(link_for(browser, sink), headers=JSON).json == first


def test_several_links_of_one_browser_work(browser: Browser, sink: MailSink) -> None:
    """Who asked twice may open the mail that comes first."""
    first, second = link_for(browser, sink), link_for(browser, sink)
    assert first != second
    assert browser.open(first).status_code == 303


def test_a_link_signs_in_anew(app: Application, browser: Browser, sink: MailSink) -> None:
    """A session that the browser had, perhaps somebody else's, ends."""
    browser.open(link_for(browser, sink))
    old = browser.cookies["session"]
    browser.open(link_for(browser, sink, "eve@example.com"))
    assert browser.me().json["user"]["email"] == "eve@example.com"
    other = Browser(app)
    other.cookies["session"] = old
    assert other.me().status_code == 401


# --- other browsers, scanners ---


def test_another_browser_gets_a_button(app: Application, browser: Browser, sink: MailSink) -> None:
    """Nothing is used up by looking; pressing the button signs in."""
    link = link_for(browser, sink)
    phone = Browser(app)
    page = phone.open(link)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert page.text.count("<button") == 1
    assert f'action="{PUBLIC_URL}/api/v1/auth/verify"' in page.text
    assert phone.me().status_code == 401
    pressed = phone.press(page)
    assert (pressed.status_code, pressed.headers["location"]) == (303, f"{PUBLIC_URL}/")
    assert phone.me().json["user"]["email"] == ADA


@pytest.mark.parametrize("accept", [HTML["Accept"], "*/*", "text/html", "nonsense", "image/png"])
def test_scanners_use_nothing_up(
    app: Application, browser: Browser, sink: MailSink, accept: str
) -> None:
    """GET and HEAD, as often as they like, before the person opens the link."""
    link = link_for(browser, sink)
    for method in ("HEAD", "GET", "HEAD", "GET"):
        answer = Browser(app).open(link, method=method, headers={"Accept": accept})
        assert answer.status_code == 200
        assert "session" not in answer.cookies
    assert browser.open(link).status_code == 303


def test_head_uses_nothing_up_even_for_who_asked(browser: Browser, sink: MailSink) -> None:
    """HEAD has no effect, whoever sends it and whatever it accepts."""
    link = link_for(browser, sink)
    for headers in (HTML, JSON):
        answer = browser.open(link, method="HEAD", headers=headers)
        assert (answer.status_code, answer.content) == (200, b"")
    assert browser.open(link).status_code == 303


def test_a_nonce_of_another_link_gets_a_button(
    app: Application, browser: Browser, sink: MailSink
) -> None:
    """A browser that asked for something else has not asked for this."""
    link = link_for(browser, sink)
    other = Browser(app)
    link_for(other, sink, "eve@example.com")
    assert "<button" in other.open(link).text
    assert other.me().status_code == 401


@pytest.mark.parametrize("change", ["nonce", "signature", "neither"])
def test_a_nonce_that_we_did_not_give_counts_for_nothing(
    app: Application, browser: Browser, sink: MailSink, change: str
) -> None:
    """It is signed: who plants a cookie in a browser knows of no nonce that works."""
    link = link_for(browser, sink)
    nonce, _, signature = browser.cookies["magic_link"].partition(".")
    if change == "nonce":
        nonce = "A" * 43
    elif change == "signature":
        signature = "0" * len(signature)
    browser.cookies["magic_link"] = f"{nonce}.{signature}"
    assert browser.open(link).status_code == (303 if change == "neither" else 200)


# --- the button and programs that POST ---


def test_a_program_may_post_the_token(app: Application, browser: Browser, sink: MailSink) -> None:
    """With a JSON body, which another site cannot make a browser send."""
    token = token_of(link_for(browser, sink))
    answer = Browser(app).request("POST", "/api/v1/auth/verify", json={"token": token})
    assert (answer.status_code, answer.json["user"]["email"]) == (200, ADA)


def test_a_foreign_form_signs_nobody_in(app: Application, browser: Browser, sink: MailSink) -> None:
    """Another site cannot sign a browser in as whom it likes: it has neither cookie nor proof."""
    link = link_for(browser, sink)
    page = Browser(app).open(link)
    victim = Browser(app)
    assert victim.press(page).status_code == 403
    victim.open(link_for(browser, sink, "eve@example.com"))
    answer = victim.press(page)
    assert (answer.status_code, answer.json["code"]) == (403, "csrf")
    assert "session" not in victim.cookies
    assert browser.open(link).status_code == 303


def test_a_form_is_for_one_link(app: Application, browser: Browser, sink: MailSink) -> None:
    """What was made for one token sends no other, in the same browser neither."""
    first, second = link_for(browser, sink), link_for(browser, sink)
    phone = Browser(app)
    page = phone.open(first)
    fields = form_fields(page) | {"token": token_of(second)}
    answer = phone.send_form(fields)
    assert (answer.status_code, answer.json["code"]) == (403, "csrf")
    assert phone.press(page).status_code == 303


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/x-www-form-urlencoded", b"", 400),
        ("application/x-www-form-urlencoded", b"token=", 400),
        ("application/x-www-form-urlencoded", b"token=\xff", 400),
        ("application/x-www-form-urlencoded", b"a=1&" * 20, 400),
        ("application/x-www-form-urlencoded", b"token=abc", 403),
        ("application/x-www-form-urlencoded; charset=utf-8", b"token=abc&proof=1", 403),
        ("application/json", b"", 400),
        ("application/json", b"{}", 400),
        ("application/json", b'{"token": 1}', 400),
        ("application/json", b'{"token": "abc"}', 401),
        ("application/json", b'{"token": "abc", "nonce": ""}', 400),
        ("text/plain", b"token=abc", 415),
        ("multipart/form-data; boundary=x", b"--x--", 415),
    ],
)
def test_what_is_posted_is_looked_at(
    browser: Browser, content_type: str, body: bytes, status: int
) -> None:
    """Everything else is an error that says what is wrong."""
    answer = browser.request(
        "POST", "/api/v1/auth/verify", body=body, headers={"Content-Type": content_type}
    )
    assert answer.status_code == status
    assert answer.json["error"]


# --- links that do not work ---


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_used_link_does_not_work(
    app: Application, browser: Browser, sink: MailSink, method: str
) -> None:
    """Not for who used it, nor for anybody else."""
    link = link_for(browser, sink)
    browser.open(link)
    for other in (browser, Browser(app)):
        if method == "GET":
            answer = other.open(link, headers=JSON)
        else:
            answer = other.request("POST", "/api/v1/auth/verify", json={"token": token_of(link)})
        assert (answer.status_code, answer.json["code"]) == (401, "bad_link")
        assert "session" not in answer.cookies


@pytest.mark.parametrize(("seconds", "status"), [(599, 200), (600, 401)])
def test_a_link_works_for_ten_minutes(
    browser: Browser, sink: MailSink, clock: Clock, seconds: int, status: int
) -> None:
    """To the second."""
    link = link_for(browser, sink)
    clock.advance(seconds=seconds)
    assert browser.open(link, headers=JSON).status_code == status


def test_an_altered_link_does_not_work(browser: Browser, sink: MailSink) -> None:
    """No other character will do, at any place, nor one more or less."""
    link = link_for(browser, sink)
    token = token_of(link)
    altered = [
        token[:place] + ("B" if token[place] == "A" else "A") + token[place + 1 :]
        for place in range(0, 43, 6)
    ]
    for wrong in (*altered, token[:-1], f"{token}A", "A" * 43, "x", "%00", "%ff", "ü" * 43):
        answer = browser.open(link.replace(token, wrong), headers=JSON)
        assert answer.status_code in (400, 401), wrong
    assert browser.open(link).status_code == 303


def test_a_person_is_told_what_to_do(browser: Browser, sink: MailSink) -> None:
    """A browser gets a page with the reason and the way on, not JSON."""
    link = link_for(browser, sink)
    browser.open(link)
    page = browser.open(link)
    assert page.status_code == 401
    assert page.headers["content-type"].startswith("text/html")
    assert "This link does not work" in page.text
    assert f'href="{PUBLIC_URL}/"' in page.text


@pytest.mark.parametrize("query", ["", "token="])
def test_a_token_is_required(browser: Browser, query: str) -> None:
    """A link without one is not whole."""
    answer = browser.request("GET", "/api/v1/auth/verify", query_string=query, headers=JSON)
    assert answer.status_code == 400
    assert list(answer.json["fields"]) == ["token"]


# --- who may enter ---


def test_where_sign_up_is_closed_nobody_new_gets_a_link(make: Make, sink: MailSink) -> None:
    """The answer is as to everybody; only who is known gets mail."""
    app = make(signup="closed")
    organization, _ = create_organization(app.storage, name="Acme", owner_email=ADA)
    create_user(app.storage, organization.id, email="bob@example.com", role="editor")
    browser = Browser(app)
    for email in ("eve@example.com", ADA, "bob@example.com"):
        assert browser.ask(email).json == {"message": "magic link sent"}
    app.job_queue.close()
    assert sorted(mail.recipients[0] for mail in sink.mails) == [ADA, "bob@example.com"]
    for mail in sink.mails:
        answer = Browser(app).open(mail.link, headers=JSON)
        assert answer.json["organization"]["id"] == organization.id


def test_a_person_who_may_enter_no_more_is_refused(make: Make, sink: MailSink) -> None:
    """Between mail and click the user was deleted: no session, and no new organization."""
    app = make(signup="closed")
    create_organization(app.storage, name="Acme", owner_email=ADA)
    browser = Browser(app)
    link, second = link_for(browser, sink), link_for(browser, sink)
    member = find_member(app.storage, ADA)
    assert member is not None
    app.storage.transact(member.organization.id, app.erase)
    answer = browser.open(link, headers=JSON)
    assert (answer.status_code, answer.json["code"]) == (403, "signup_closed")
    page = browser.open(second)
    assert (page.status_code, "sign-up is closed" in page.text) == (403, True)
    assert browser.cookies.keys() == {"magic_link"}


# --- what comes in from outside ---


@pytest.mark.parametrize(
    "email",
    [
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@example.com\nBcc: eve@example.com",
        "ada@example.com%0d%0aBcc: eve@example.com",
        "ada@example.com,eve@example.com",
        "ada@example.com eve@example.com",
        "Ada <ada@example.com>",
        "<ada@example.com>",
        "ada@example.com\x00",
        "ada",
        "@example.com",
        "",
        "a" * 300 + "@example.com",
        None,
        1,
        ["ada@example.com"],
    ],
)
def test_what_is_no_address_is_refused(
    app: Application, browser: Browser, sink: MailSink, email: object
) -> None:
    """A 400 that names the field; no mail goes anywhere."""
    answer = browser.request("POST", "/api/v1/auth/send-link", json={"email": email})
    assert answer.status_code == 400
    app.job_queue.close()
    assert sink.mails == []


FORGED = {
    "Host": "evil.example",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-For": "evil.example",
    "X-Forwarded-Port": "81",
    "X-Forwarded-Prefix": "/evil",
    "X-Original-URL": "http://evil.example/",
    "Forwarded": "host=evil.example;proto=http",
    "Origin": "https://evil.example",
    "Referer": "https://evil.example/",
}


def test_links_lead_to_the_public_url(app: Application, browser: Browser, sink: MailSink) -> None:
    """Whatever a request says about where it was sent to: in mails, redirects and pages."""
    browser.ask(ADA, headers=FORGED, host="evil.example")
    (mail,) = sink.wait_for(1)
    assert mail.link.startswith(f"{PUBLIC_URL}/")
    assert "evil" not in mail.message.as_string()
    page = Browser(app).open(mail.link, headers={**FORGED, **HTML})
    assert "evil" not in page.text
    answer = browser.open(mail.link, headers={**FORGED, **HTML})
    assert answer.headers["location"] == f"{PUBLIC_URL}/"


def test_without_a_public_url_no_link_is_sent(make: Make, sink: MailSink) -> None:
    """The sender learns that it is the operator's turn; the Host header is not used instead."""
    app = make(public_url=None)
    answer = Browser(app).ask(ADA)
    assert (answer.status_code, answer.json["code"]) == (503, "no_public_url")
    assert "IPCRAFT_PUBLIC_URL" in answer.json["error"]
    app.job_queue.close()
    assert sink.mails == []


# --- what an answer tells ---


def test_known_and_unknown_addresses_answer_alike(make: Make, sink: MailSink) -> None:
    """Byte for byte: status, body, headers, and a cookie of the same form."""
    app = make(signup="closed")
    create_organization(app.storage, name="Acme", owner_email=ADA)
    seen = []
    for email in (ADA, "eve@example.com"):
        answer = Browser(app).ask(email, headers={"X-Request-Id": "same"})
        headers = {name: text for name, text in answer.headers.items() if name != "set-cookie"}
        cookie = answer.headers["set-cookie"]
        seen.append(
            (answer.status_code, answer.content, headers, len(cookie), cookie.partition(";")[2])
        )
    assert seen[0] == seen[1]


@pytest.mark.parametrize("signup", ["open", "closed"])
def test_asking_costs_the_same_for_everybody(
    make: Make, monkeypatch: pytest.MonkeyPatch, signup: str
) -> None:
    """The same statements and one order, and no word with the mail server: no time tells."""
    app = make(smtp_url="smtp://127.0.0.1:1", signup=signup)
    app.drains.end("jobs")
    create_organization(app.storage, name="Acme", owner_email=ADA)
    asked: list[str] = []
    compiled = Statement.compile

    def compile_(statement: Statement[Any], dialect: Dialect) -> CompiledStatement:
        found = compiled(statement, dialect)
        asked.append(found.sql)
        return found

    monkeypatch.setattr(Statement, "compile", compile_)
    seen = []
    for email in (ADA, "eve@example.com"):
        asked.clear()
        assert Browser(app).ask(email).status_code == 200
        seen.append(list(asked))
    assert seen[0] == seen[1] != []
    monkeypatch.undo()
    accounts = app.orders.accounts(finished=True, limit=10)
    assert [(each.job, each.state) for each in accounts] == [("magiclink.send", "queued")] * 2
