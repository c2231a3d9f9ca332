"""The client while answers are lost: what it asks for is done, and done once."""

from __future__ import annotations

import random
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest

from ipcraft.client import Client, RequestRefused, Unreachable
from ipcraft.testing.services import FaultProxy

from .conftest import Script

if TYPE_CHECKING:
    from ipcraft.testing.fixtures import Org, Served

WRITES = 40


def answer(status: str, *headers: str, body: bytes = b"{}") -> bytes:
    """Write an answer."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(head).encode() + body


DONE = answer("201 Created", body=b'{"id": "sec_1"}')


@pytest.mark.parametrize(
    "lost",
    [
        b"",
        b"HTTP/1.1 201 Created\r\nContent-Type: app",
        b"HTTP/1.1 201 Created\r\nContent-Length:",
        b"HTTP/1.1 201 Created\r\nContent-Length: 15\r\n\r\n",
        b"HTTP/1.1 201 Created\r\nContent-Length: 15\r\n\r\n{",
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chu",
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{",
        answer("503 Service Unavailable", "Retry-After: 0"),
        answer("429 Too Many Requests", "Retry-After: 0"),
        answer("502 Bad Gateway", body=b"<html>"),
        answer("409 Conflict", "Retry-After: 0", body=b'{"error": "", "code": "still_running"}'),
    ],
)
def test_what_is_not_answered_is_sent_again(scripted: Client, lost: bytes) -> None:
    """With the same key, wherever the answer was cut, and where trying again helps."""
    Script.answers = [lost, lost, DONE]
    assert scripted.sections.create(name="A")["id"] == "sec_1"
    assert len(Script.seen) == 3
    assert len(set(Script.seen)) == 1
    assert Script.seen[0].key


def test_each_request_has_a_key_of_its_own(scripted: Client) -> None:
    """Two requests are two, though they say the same."""
    Script.answers = [DONE, DONE]
    for _ in range(2):
        scripted.sections.create(name="A")
    assert len(set(Script.seen)) == 2


def test_what_is_refused_is_not_sent_again(scripted: Client) -> None:
    """Not even a conflict that is none of running requests."""
    Script.answers = [answer("409 Conflict", body=b'{"error": "taken", "code": "conflict"}')]
    with pytest.raises(RequestRefused, match="taken"):
        scripted.sections.create(name="A")
    assert len(Script.seen) == 1


def test_what_takes_no_key_is_sent_once(scripted: Client) -> None:
    """Nobody knows whether it was done; only 429 says that it was not."""
    Script.answers = [b""]
    with pytest.raises(Unreachable):
        scripted.request("POST", "webhooks/wh_1/test", once=True)
    Script.answers = [answer("429 Too Many Requests", "Retry-After: 0"), DONE]
    scripted.request("POST", "webhooks/wh_1/test", once=True)
    assert [each.key for each in Script.seen] == [None] * 3


def test_a_redirect_is_not_followed(scripted: Client) -> None:
    """The key goes nowhere else, and a POST does not become a GET."""
    Script.answers = [answer("301 Moved", "Location: http://127.0.0.1:1/", body=b"moved")]
    with pytest.raises(RequestRefused, match="answered 301"):
        scripted.sections.create(name="A")


def test_an_answer_that_is_no_json_is_told(scripted: Client) -> None:
    """Something else than an IPCraft listens there."""
    Script.answers = [answer("200 OK", body=b"<html>")]
    with pytest.raises(Unreachable, match="no JSON"):
        scripted.sections.create(name="A")


def test_nothing_is_done_twice_while_answers_are_cut(served: Served, org: Org) -> None:
    """Every write is done, once, though connections are cut and reset all the time."""
    with FaultProxy("127.0.0.1", served.port) as proxy:
        over = Event()

        def spoil() -> None:
            chooser = random.Random(2)
            while not over.is_set():
                proxy.cut(after=chooser.randrange(700))
                over.wait(0.03)
                proxy.heal()
                if chooser.random() < 0.5:
                    proxy.reset()
                over.wait(0.05)

        spoiling = Thread(target=spoil)
        spoiling.start()
        try:
            with Client(f"http://127.0.0.1:{proxy.port}", key=org.key) as ipam:
                subnet = ipam.subnets.create(network="10.0.0.0/16")
                taken = [ipam.subnets.take_next(subnet["id"])["ip"] for _ in range(WRITES)]
        finally:
            over.set()
            spoiling.join()
    assert taken == [f"10.0.0.{n}" for n in range(1, WRITES + 1)]
    assert org.get(f"/api/v1/subnets/{subnet['id']}/usage").json()["used"] == WRITES
