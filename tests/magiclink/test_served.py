"""The whole way over real HTTP, with real servers around: mail, Redis, workers, restarts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import psutil
import pytest
import redis
import requests

from ipcraft.testing import Databases
from ipcraft.testing.applications import SECRET_KEY
from ipcraft.testing.databases import dump
from ipcraft.testing.services import MailSink, Redis
from ipcraft.testing.serving import Served

from .browsers import HTML, JSON, token_of

PATIENCE = 60
ADA, BOB = "ada@example.com", "bob@example.com"
WRITE = {"X-Requested-With": "XMLHttpRequest"}

Serve = Callable[..., Served]


def environ(sink: MailSink | None, **others: str) -> dict[str, str]:
    """Give the settings of a server; links lead to it by its own address."""
    found = {"IPCRAFT_SIGNUP": "open", "IPCRAFT_LOG_LEVEL": "debug", **others}
    if sink is not None:
        found |= {"IPCRAFT_SMTP_URL": sink.url, "IPCRAFT_MAIL_FROM": "ipcraft@example.com"}
    return found


@pytest.fixture
def database(databases: Databases) -> Iterator[str]:
    """Give a database."""
    url = databases.create()
    yield url
    databases.drop(url)


@pytest.fixture
def serve(database: str, tmp_path: Path) -> Iterator[Serve]:
    """Give a way to serve; whoever still serves at the end is ended."""
    started: list[Served] = []

    def serve(sink: MailSink | None, *, workers: int = 2, **others: str) -> Served:
        served = Served(database, tmp_path, workers=workers, environ=environ(sink, **others))
        started.append(served)
        return served

    yield serve
    for served in started:
        served.close()


def ask(served: Served, email: str, session: requests.Session | None = None) -> None:
    """Ask for a link."""
    answer = (session or requests).post(
        f"{served.url}/api/v1/auth/send-link", json={"email": email}, timeout=PATIENCE
    )
    assert answer.json() == {"message": "magic link sent"}


def sign_in(served: Served, sink: MailSink, email: str) -> requests.Session:
    """Ask for a link, open it when it arrives, and give the browser."""
    browser = requests.Session()
    before = len(sink.mails)
    ask(served, email, browser)
    link = sink.wait_for(before + 1)[-1].link
    answer = browser.get(link, headers=HTML, allow_redirects=False, timeout=PATIENCE)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{served.url}/")
    return browser


def test_two_people_work_in_one_organization(serve: Serve, sink: MailSink) -> None:
    """One signs up and invites the other, who has another role; a third sees nothing of it."""
    served = serve(sink)
    api = f"{served.url}/api/v1"
    ada = sign_in(served, sink, ADA)
    made = ada.post(f"{api}/sections", json={"name": "Lab"}, headers=WRITE, timeout=PATIENCE)
    assert made.status_code == 201
    invited = {"email": BOB, "role": "viewer"}
    answer = ada.post(f"{api}/invitations", json=invited, headers=WRITE, timeout=PATIENCE)
    assert answer.status_code == 201
    (*_, mail) = sink.wait_for(2)
    assert mail.recipients == (BOB,)
    bob = requests.Session()
    answer = bob.get(mail.link, headers=JSON, timeout=PATIENCE)
    assert answer.json()["user"]["email"] == BOB
    assert bob.get(f"{api}/sections", timeout=PATIENCE).json() == [made.json()]
    answer = bob.post(f"{api}/sections", json={"name": "x"}, headers=WRITE, timeout=PATIENCE)
    assert answer.status_code == 403
    eve = sign_in(served, sink, "eve@example.com")
    assert eve.get(f"{api}/sections", timeout=PATIENCE).json() == []
    assert ada.post(f"{api}/auth/logout", headers=WRITE, timeout=PATIENCE).status_code == 204
    assert ada.get(f"{api}/auth/me", timeout=PATIENCE).status_code == 401


def test_a_server_that_stops_sends_what_it_owes(serve: Serve, sink: MailSink) -> None:
    """SIGTERM right after the answers: every link is mailed before the processes end."""
    served = serve(sink)
    for number in range(20):
        ask(served, f"person{number}@example.com")
    served.close()
    assert len(sink.mails) == 20


def test_a_killed_server_mails_invitations_later(serve: Serve, sink: MailSink) -> None:
    """What is to be sent is in the database: another server does it, by itself."""
    served = serve(sink, workers=1)
    ada = sign_in(served, sink, ADA)
    sink.stop()
    answer = ada.post(
        f"{served.url}/api/v1/invitations", json={"email": BOB}, headers=WRITE, timeout=PATIENCE
    )
    assert answer.status_code == 201
    for child in _children(served):
        os.kill(child, signal.SIGKILL)
    served.process.kill()
    served.process.wait(PATIENCE)
    sink.resume()
    serve(sink, workers=1)
    (_, mail) = sink.wait_for(2)
    assert mail.recipients == (BOB,)


def test_links_are_in_the_log_where_there_is_no_mail_server(serve: Serve) -> None:
    """The line has the link, and it works."""
    served = serve(None)
    ask(served, ADA)
    served.close()
    (line,) = [line for line in served.log.read_text().splitlines() if "/auth/verify?" in line]
    assert "smtp_url is not set" in line
    token = line.partition("?token=")[2][:43]
    again = serve(None)
    body = {"token": token}
    answer = requests.post(f"{again.url}/api/v1/auth/verify", json=body, timeout=PATIENCE)
    assert answer.json()["user"]["email"] == ADA


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")
def test_one_of_many_workers_gives_the_session(serve: Serve, sink: MailSink) -> None:
    """Over HTTP and several processes too: one token, one session."""
    served = serve(sink, workers=4)
    ask(served, ADA)
    token = token_of(sink.wait_for(1)[0].link)

    def use(_: int) -> int:
        return requests.post(
            f"{served.url}/api/v1/auth/verify", json={"token": token}, timeout=PATIENCE
        ).status_code

    with ThreadPoolExecutor(16) as pool:
        statuses = sorted(pool.map(use, range(100)))
    assert statuses == [200] + [401] * 99


def test_with_redis_a_worker_mails(
    serve: Serve, sink: MailSink, database: str, tmp_path: Path
) -> None:
    """Servers only order; nothing of it lies in Redis; without Redis the mail comes later."""
    with Redis() as server:
        public = {"IPCRAFT_PUBLIC_URL": "http://ipam.example.com"}
        served = serve(sink, IPCRAFT_REDIS_URL=server.url, **public)
        browser = requests.Session()
        ask(served, ADA, browser)
        nonce = browser.cookies["magic_link"].partition(".")[0]
        ready = requests.get(f"{served.url}/readyz", timeout=PATIENCE).json()
        assert ready["checks"]["job_queue"] == "1 jobs wait and no `ipcraft worker` is running"
        kept = _contents(server)
        assert ADA not in kept
        assert nonce not in kept
        settings = environ(sink, IPCRAFT_REDIS_URL=server.url, **public)
        with _worker(database, tmp_path, settings):
            (mail,) = sink.wait_for(1)
        token = token_of(mail.link)
        assert token not in _contents(server)
        answer = browser.get(
            f"{served.url}/api/v1/auth/verify", params={"token": token}, timeout=PATIENCE
        )
        assert answer.json()["user"]["email"] == ADA
        server.kill()
        ask(served, ADA, browser)
        with _worker(database, tmp_path, settings):
            server.resume()
            assert sink.wait_for(2)[-1].recipients == (ADA,)


def test_a_worker_is_told_where_links_lead(
    serve: Serve, sink: MailSink, database: str, tmp_path: Path
) -> None:
    """It does not know what is served; without a public URL whoever queues the job does."""
    with Redis() as server:
        served = serve(sink, IPCRAFT_REDIS_URL=server.url)
        with _worker(database, tmp_path, environ(sink, IPCRAFT_REDIS_URL=server.url)):
            ada = sign_in(served, sink, ADA)
            answer = ada.post(
                f"{served.url}/api/v1/invitations",
                json={"email": BOB},
                headers=WRITE,
                timeout=PATIENCE,
            )
            assert answer.status_code == 201
            assert sink.wait_for(2)[-1].link.startswith(f"{served.url}/api/v1/auth/verify?")
        served.close()
    greeting = f"Links lead to {served.url}: set IPCRAFT_PUBLIC_URL"
    assert (greeting in served.log.read_text()) is not database.startswith("sqlite")


@pytest.mark.parametrize("form", ["json", "text"])
def test_secrets_are_written_nowhere(
    serve: Serve, sink: MailSink, database: str, form: str
) -> None:
    """Tokens and nonces, good, used and made up: in no log, no error, no table."""
    served = serve(sink, IPCRAFT_LOG_FORMAT=form)
    browser = requests.Session()
    ask(served, ADA, browser)
    nonce = browser.cookies["magic_link"]
    token = token_of(sink.wait_for(1)[0].link)
    told = ""
    for given in (token, token, token[::-1], token + "x"):
        for headers in (HTML, JSON):
            answer = browser.get(
                f"{served.url}/api/v1/auth/verify",
                params={"token": given},
                headers=headers,
                allow_redirects=False,
                timeout=PATIENCE,
            )
            told += answer.text + answer.headers.get("Location", "")
    for body in ({"token": token, "x": 1}, {"token": token}, {"email": token}):
        for path in ("verify", "send-link"):
            answer = browser.post(f"{served.url}/api/v1/auth/{path}", json=body, timeout=PATIENCE)
            told += answer.text.replace(f"{token!r} is no email address", "")
    session = browser.cookies["session"]
    served.close()
    written = served.log.read_text()
    kept = dump(database)
    assert "/api/v1/auth/verify" in written
    assert ADA in kept
    for secret in (token, nonce, nonce.partition(".")[0], session, SECRET_KEY):
        assert secret not in written
        assert secret not in kept
        assert secret not in told


def _children(served: Served) -> list[int]:
    return [child.pid for child in psutil.Process(served.process.pid).children(recursive=True)]


@contextmanager
def _worker(database: str, folder: Path, settings: dict[str, str]) -> Iterator[None]:
    environment = {**os.environ, **settings}
    environment |= {"IPCRAFT_DATABASE_URL": database, "IPCRAFT_SECRET_KEY": SECRET_KEY}
    with (folder / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ipcraft", "worker"],
            env=environment,
            cwd=folder,
            stdout=log,
            stderr=log,
        )
    yield
    process.terminate()
    assert process.wait(PATIENCE) == 0, (folder / "worker.log").read_text()


def _contents(server: Redis) -> str:
    """Give all that lies in Redis, what is compressed too."""
    with redis.Redis.from_url(server.url) as client:
        parts = []
        for key in client.scan_iter():
            if client.type(key) == b"hash":
                kept = cast("dict[bytes, bytes]", client.hgetall(key))
                for name, value in kept.items():
                    parts.append(name + (zlib.decompress(value) if name == b"data" else value))
            parts.append(key)
    return b"\n".join(parts).decode("utf-8", "replace")
