"""How many links a mailbox gets, and how often a link works."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select

from ipcraft.plugin import Application, Statement
from ipcraft.testing import Clock
from ipcraft.testing.services import MailSink
from ipcraft_accounts import is_token, token_hash
from ipcraft_accounts.tables import sessions
from ipcraft_magiclink.links import find_link, make_link
from ipcraft_magiclink.mailboxes import mailbox_of
from ipcraft_magiclink.tables import links

from .browsers import HTML, JSON, Browser, token_of

ADA = "ada@example.com"
NONCE = token_hash("nonce")
CROWD = 16
MAILBOXES = 12
SESSIONS = Statement(select(func.count()).select_from(sessions))
LINKS = Statement(select(func.count()).select_from(links))


def count(app: Application, statement: Statement[tuple[int]]) -> int:
    """Count rows over all organizations."""
    with app.storage.read_system() as tx:
        return int(tx.value(statement))


def test_a_mailbox_gets_five_links_an_hour(
    app: Application, browser: Browser, sink: MailSink, clock: Clock
) -> None:
    """Each answer is the same; an hour after the first there is another one."""
    answers = [browser.ask(ADA).json for _ in range(8)]
    app.job_queue.close()
    assert answers == [{"message": "magic link sent"}] * 8
    assert len(sink.mails) == 5
    clock.advance(seconds=3599)
    assert make_link(app.storage, "lnk_1", email=ADA, nonce_hash=NONCE) is None
    clock.advance(seconds=1)
    assert make_link(app.storage, "lnk_2", email=ADA, nonce_hash=NONCE) is not None


def test_however_it_is_written_an_address_is_one_mailbox(
    app: Application, browser: Browser, sink: MailSink
) -> None:
    """Over HTTP: letter case, blanks, tags and quotes get nobody a sixth mail."""
    spellings = ["ada@example.com", "ADA@Example.COM", " ada@example.com ", "Ada+1@example.com"]
    spellings += [
        '"ada"@example.com',
        '"ADA+2"@example.com',
        "ada+3@EXAMPLE.com",
        "ada@\uff45xample.com",
    ]
    for email in spellings:
        assert browser.ask(email).json == {"message": "magic link sent"}
    app.job_queue.close()
    assert len(sink.mails) == 5


def test_spelling_gets_nobody_more(app: Application) -> None:
    """Tags and quotes do not make another mailbox; another name or domain does."""
    spellings = [ADA, "ada+1@example.com", "ada+2+3@example.com", "ada+@example.com", ADA]
    spellings += [ADA, '"ada"@example.com', '"ada+4"@example.com']
    made = [
        make_link(app.storage, f"lnk_{number}", email=email, nonce_hash=NONCE)
        for number, email in enumerate(spellings)
    ]
    assert [token is not None for token in made] == [True] * 5 + [False] * 3
    for number, email in enumerate(("eve@example.com", "ada@example.org")):
        assert make_link(app.storage, f"lnk_o{number}", email=email, nonce_hash=NONCE)


@pytest.mark.parametrize(
    ("email", "mailbox"),
    [
        ("ada@example.com", "ada@example.com"),
        ("ada+tag@example.com", "ada@example.com"),
        ("ada+one+two@example.com", "ada@example.com"),
        ("+ada@example.com", "+ada@example.com"),
        ('"ada"@example.com', "ada@example.com"),
        ('"ada+tag"@example.com', "ada@example.com"),
        (r'"a\da"@example.com', "ada@example.com"),
        ('"@example.com', '"@example.com'),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
    ],
)
def test_mailboxes(email: str, mailbox: str) -> None:
    """A tag belongs to no mailbox's name, and a domain has one form."""
    assert mailbox_of(email) == mailbox


def test_five_is_exact_when_all_ask_at_once(app: Application) -> None:
    """Of 16 links for one mailbox at the same moment, five are made; of each of many."""
    together = Barrier(CROWD)

    def make(number: int) -> list[bool]:
        made = []
        for mailbox in range(MAILBOXES):
            email = f"ada{mailbox}+{number}@x.org"
            together.wait()
            token = make_link(app.storage, f"lnk_{mailbox}_{number}", email=email, nonce_hash=NONCE)
            made.append(token is not None)
        return made

    with ThreadPoolExecutor(CROWD) as pool:
        made = list(pool.map(make, range(CROWD)))
    assert [sum(each) for each in zip(*made, strict=True)] == [5] * MAILBOXES


def test_another_attempt_does_not_count_twice(app: Application) -> None:
    """A job that is tried again sends another token; the one before works no more."""
    made = [make_link(app.storage, "lnk_1", email=ADA, nonce_hash=NONCE) for _ in range(9)]
    *old, newest = [token for token in made if token is not None and is_token(token)]
    assert len(old) == 8
    assert find_link(app, newest)
    assert not any(find_link(app, token) for token in old)
    assert count(app, LINKS) == 1


def test_a_link_that_was_used_is_not_made_again(
    app: Application, browser: Browser, sink: MailSink
) -> None:
    """A job that runs again after its mail was read sends no second one."""
    token = make_link(app.storage, "lnk_1", email=ADA, nonce_hash=NONCE)
    answer = browser.open(f"/api/v1/auth/verify?token={token}", headers=JSON)
    assert answer.status_code == 200
    assert make_link(app.storage, "lnk_1", email=ADA, nonce_hash=NONCE) is None


def test_old_links_are_forgotten(app: Application, clock: Clock) -> None:
    """Once they do not count any more; those that count stay."""
    make_link(app.storage, "lnk_1", email=ADA, nonce_hash=NONCE)
    clock.advance(seconds=1800)
    make_link(app.storage, "lnk_2", email=ADA, nonce_hash=NONCE)
    clock.advance(seconds=1800)
    app.enqueue("magiclink.tidy")
    app.job_queue.close()
    assert count(app, LINKS) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_token_used_by_a_hundred_clients_at_once_gives_one_session(
    app: Application, browser: Browser, sink: MailSink, method: str
) -> None:
    """All others are told that the link does not work."""
    browser.ask(ADA)
    link = sink.wait_for(1)[0].link
    clients = [Browser(app) for _ in range(100)]

    def use(client: Browser) -> int:
        if method == "POST":
            body = {"token": token_of(link)}
            return client.request("POST", "/api/v1/auth/verify", json=body).status_code
        client.cookies = dict(browser.cookies)
        return client.open(link, headers=HTML).status_code

    with ThreadPoolExecutor(16) as pool:
        statuses = Counter(pool.map(use, clients))
    assert statuses == {200 if method == "POST" else 303: 1, 401: 99}
    assert count(app, SESSIONS) == 1
