"""What we ask the issuer, how often, and what becomes of people when it does not answer."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from ipcraft_oidc.memory import LIFETIME, PAUSE, Memory
from ipcraft_oidc.questions import LARGEST_ANSWER, Deadline, NoAnswer
from joserfc.jwk import Key

from ipcraft.plugin import Application
from ipcraft.testing import Client, Clock
from ipcraft.testing.services import FaultProxy
from ipcraft_accounts import Member, create_organization

from .browser import LOGIN, Browser, visit
from .conftest import Open
from .issuer import Issuer, new_key

DISCOVERY = "/.well-known/openid-configuration"
IN_TIME = 2.0
"""Seconds in which everything must be answered."""


@pytest.fixture
def proxy(issuer: Issuer) -> Iterator[FaultProxy]:
    """Put something between us and the issuer."""
    with FaultProxy("127.0.0.1", issuer.own_port) as between:
        issuer.port = between.port
        yield between


@pytest.fixture
def far_browser(proxy: FaultProxy, opened: Open) -> Browser:
    """Give a browser of an application that reaches the issuer through the proxy."""
    app = opened()
    create_organization(app.storage, name="Acme", owner_email="root@example.com")
    return Browser(app)


def in_time(act: Callable[[], Any]) -> Any:
    """Give the answer, which must come in time."""
    began = time.monotonic()
    answer = act()
    assert time.monotonic() - began < IN_TIME
    return answer


def unavailable(answer: Any) -> None:
    """Check that an answer asks for patience and signs nobody in."""
    assert (answer.status_code, answer.json["code"]) == (503, "unavailable"), answer.text
    assert "retry-after" in answer.headers
    assert "session" not in answer.cookies


def test_discovery_and_keys_are_asked_once(browser: Browser, issuer: Issuer) -> None:
    """They are kept for all who sign in after that."""
    for _ in range(3):
        browser.sign_in()
    assert (issuer.count(DISCOVERY), issuer.count("/keys")) == (1, 1)


def test_they_are_asked_again_after_a_while(browser: Browser, issuer: Issuer, clock: Clock) -> None:
    """A withdrawn key or a moved endpoint is known after ten minutes."""
    browser.sign_in()
    clock.advance(seconds=LIFETIME)
    browser.sign_in()
    assert (issuer.count(DISCOVERY), issuer.count("/keys")) == (2, 2)


def test_a_new_key_is_asked_for_when_it_is_used(
    browser: Browser, issuer: Issuer, clock: Clock, keys: list[Key]
) -> None:
    """The issuer may sign by another key at any time."""
    browser.sign_in()
    clock.advance(seconds=PAUSE)
    issuer.rotate(keys[1])
    assert browser.sign_in().status_code == 303
    assert issuer.count("/keys") == 2
    assert browser.sign_in().status_code == 303
    assert issuer.count("/keys") == 2


def test_unknown_keys_are_asked_for_now_and_then_only(
    browser: Browser, issuer: Issuer, clock: Clock, keys: list[Key]
) -> None:
    """However many tokens name keys that nobody has, the issuer is asked once in ten seconds."""
    issuer.published = [keys[0]]
    browser.sign_in()
    issuer.key = keys[1]
    for _ in range(3):
        assert browser.sign_in().status_code == 401
    assert issuer.count("/keys") == 1
    clock.advance(seconds=PAUSE)
    for _ in range(3):
        assert browser.sign_in().status_code == 401
    assert issuer.count("/keys") == 2


def test_a_withdrawn_key_opens_nothing(
    browser: Browser, issuer: Issuer, clock: Clock, keys: list[Key]
) -> None:
    """A key that the issuer does not publish any more is forgotten, here too."""
    browser.sign_in()
    issuer.published = [keys[1]]
    clock.advance(seconds=LIFETIME)
    assert browser.sign_in().status_code == 401


def test_keys_of_no_use_are_passed_over(browser: Browser, issuer: Issuer) -> None:
    """Keys of kinds to come, for encryption, or damaged, do no harm to the others."""
    good = issuer.key_set()["keys"]
    bad = [
        {"kty": "AKP", "alg": "ML-DSA-44", "pub": "x"},
        {"kty": "RSA", "n": "!"},
        {"kty": "EC", "crv": "P-0", "x": "", "y": ""},
        {"kty": 5},
        {},
        5,
        new_key("EC").as_dict(private=False) | {"use": "enc"},
    ]
    issuer.failing["/keys"] = (200, json.dumps({"keys": [*bad, *good]}))
    assert browser.sign_in().status_code == 303


def test_a_key_for_encryption_verifies_nothing(browser: Browser, issuer: Issuer) -> None:
    """Its use is kept to."""
    (key,) = issuer.key_set()["keys"]
    issuer.published = []
    more = new_key("EC").as_dict(private=False)
    issuer.failing["/keys"] = (200, json.dumps({"keys": [more, key | {"use": "enc"}]}))
    assert browser.sign_in().status_code == 401


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"authorization_endpoint": None},
        {"authorization_endpoint": "http://evil.example/authorize"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": "http://evil.example/token"},
        {"token_endpoint": "https://[evil"},
        {"jwks_uri": "file:///etc/passwd"},
        {"userinfo_endpoint": 5},
    ],
)
def test_a_discovery_document_that_is_wrong(
    browser: Browser, issuer: Issuer, document: dict[str, Any]
) -> None:
    """Nobody is sent anywhere, and no secret goes anywhere, by such a document."""
    issuer.document = document
    unavailable(browser.get(LOGIN))


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (500, "{}"),
        (404, "{}"),
        (302, "{}"),
        (307, "{}"),
        (200, ""),
        (200, "no"),
        (200, "[]"),
        (200, "[" * 100_000),
        (200, " " * (LARGEST_ANSWER + 1)),
    ],
)
@pytest.mark.parametrize("path", [DISCOVERY, "/token", "/keys", "/userinfo"])
def test_an_answer_that_cannot_be_used(
    browser: Browser, issuer: Issuer, path: str, status: int, text: str
) -> None:
    """Whatever the issuer answers in the place of what was asked, nobody gets in."""
    issuer.in_id_token = ()
    issuer.failing[path] = (status, text)
    if path == DISCOVERY:
        unavailable(browser.get(LOGIN))
    else:
        unavailable(browser.sign_in())
    assert browser.role() is None
    assert issuer.count("/elsewhere") == 0


def test_a_secret_that_the_issuer_does_not_know(
    browser: Browser, issuer: Issuer, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is the operator's mistake, who reads of it in the log."""
    issuer.secret = "another"
    unavailable(browser.sign_in())
    assert "does not take our client id and secret" in capsys.readouterr().err


@pytest.mark.parametrize("path", [DISCOVERY, "/token", "/keys", "/userinfo"])
def test_an_answer_that_never_ends(browser: Browser, issuer: Issuer, path: str) -> None:
    """A byte now and then keeps nobody waiting."""
    issuer.in_id_token = ()
    params = visit(browser.begin()) if path != DISCOVERY else None
    issuer.dripping.add(path)
    unavailable(in_time(lambda: browser.come_back(params) if params else browser.get(LOGIN)))
    assert browser.role() is None


def test_an_issuer_that_is_down(
    far_browser: Browser, proxy: FaultProxy, issuer: Issuer, clock: Clock
) -> None:
    """Nobody gets in, at once; and they do when it is there again."""
    params = visit(far_browser.begin())
    proxy.down()
    unavailable(in_time(lambda: far_browser.come_back(params)))
    clock.advance(seconds=LIFETIME)
    unavailable(in_time(lambda: far_browser.get(LOGIN)))
    proxy.heal()
    clock.advance(seconds=PAUSE)
    assert far_browser.sign_in().status_code == 303


def test_an_issuer_that_says_nothing(far_browser: Browser, proxy: FaultProxy) -> None:
    """A connection that is taken and not answered keeps nobody waiting."""
    params = visit(far_browser.begin())
    proxy.black_hole()
    unavailable(in_time(lambda: far_browser.come_back(params)))
    proxy.heal()


def test_an_issuer_that_is_slow_in_all_it_says(far_browser: Browser, proxy: FaultProxy) -> None:
    """All questions of a request share one deadline."""
    params = visit(far_browser.begin())
    proxy.latency(0.4)
    unavailable(in_time(lambda: far_browser.come_back(params)))
    proxy.heal()


def test_an_issuer_that_hangs_up(far_browser: Browser, proxy: FaultProxy) -> None:
    """Half an answer is none."""
    params = visit(far_browser.begin())
    proxy.cut(after=100)
    unavailable(in_time(lambda: far_browser.come_back(params)))
    proxy.heal()


def test_a_failure_is_remembered_for_a_moment(
    far_browser: Browser, proxy: FaultProxy, issuer: Issuer, clock: Clock
) -> None:
    """While the issuer is down it is asked once in ten seconds, so that no one waits for it."""
    issuer.failing[DISCOVERY] = (500, "{}")
    for _ in range(3):
        unavailable(far_browser.get(LOGIN))
    assert issuer.count(DISCOVERY) == 1
    clock.advance(seconds=PAUSE)
    unavailable(far_browser.get(LOGIN))
    assert issuer.count(DISCOVERY) == 2


def test_who_is_signed_in_stays_so(far_browser: Browser, proxy: FaultProxy, issuer: Issuer) -> None:
    """A session does not need the issuer."""
    far_browser.sign_in()
    proxy.down()
    assert far_browser.role() == "editor"


def test_readyz_tells(application: Application, issuer: Issuer, clock: Clock) -> None:
    """Without the issuer the service is degraded, and not down."""
    client = Client(application)
    answer = client.get("/readyz").json
    assert (answer["status"], answer["checks"]["oidc"]) == ("ok", None)
    issuer.failing[DISCOVERY] = (500, "{}")
    clock.advance(seconds=LIFETIME)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "degraded")
    assert answer.json["checks"]["oidc"] == (
        f"the issuer {issuer.url} cannot be asked: "
        f"it answered 500 to the question for {issuer.url}{DISCOVERY}"
    )


def test_the_clocks_may_differ_a_little(browser: Browser, issuer: Issuer, clock: Clock) -> None:
    """A minute by default, and not a second more."""
    now = int(clock())
    issuer.altered = lambda claims: {**claims, "exp": now - 59, "iat": now + 60, "nbf": now + 60}
    assert browser.sign_in().status_code == 303


def test_the_clocks_may_be_made_to_agree(opened: Open, issuer: Issuer, clock: Clock) -> None:
    """With no skew a token ends when it says."""
    app = opened(clock_skew=0)
    create_organization(app.storage, name="Acme", owner_email="root@example.com")
    now = int(clock())
    issuer.altered = lambda claims: {**claims, "exp": now + 1}
    assert Browser(app).sign_in().status_code == 303
    issuer.altered = lambda claims: {**claims, "exp": now}
    assert Browser(app).sign_in().status_code == 401


def test_one_of_many_asks() -> None:
    """Threads that want the same at once ask once; the others wait for that answer."""
    asked: list[int] = []
    may_answer, waiting = Event(), Event()

    def read(deadline: Deadline) -> str:
        asked.append(1)
        waiting.set()
        may_answer.wait(5)
        return "known"

    memory = Memory(read, clock=lambda: 0)
    with ThreadPoolExecutor(8) as threads:
        answers = [threads.submit(memory.get, Deadline(5)) for _ in range(8)]
        waiting.wait(5)
        may_answer.set()
        assert {answer.result() for answer in answers} == {"known"}
    assert len(asked) == 1


def test_nobody_waits_longer_than_their_own_deadline() -> None:
    """Whoever comes while another thread waits for the issuer is told in time."""
    may_answer, waiting = Event(), Event()

    def read(deadline: Deadline) -> str:
        waiting.set()
        may_answer.wait(5)
        return "known"

    memory = Memory(read, clock=lambda: 0)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(memory.get, Deadline(5))
        waiting.wait(5)
        with pytest.raises(NoAnswer, match="in time"):
            memory.get(Deadline(0.05))
        may_answer.set()
        assert first.result() == "known"


def test_a_clock_that_is_set_back_makes_nothing_last(
    browser: Browser, issuer: Issuer, clock: Clock, owner: Member
) -> None:
    """What is from the future is asked for again."""
    browser.sign_in()
    clock.advance(hours=-1)
    browser.sign_in()
    assert issuer.count("/keys") == 2
