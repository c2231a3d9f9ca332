"""Whatever a receiver does: done within the deadline, memory flat, no thread and no file left."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable

import psutil
import pytest
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st

from ipcraft.outbound.client import Outbound
from ipcraft.outbound.failures import Unreachable

from .conftest import Reach, Receive
from .receivers import OK, Script, Visit, once

DEADLINE = 0.6
SLACK = 2.0
"""Seconds by which a busy machine may be late."""
FLAT = 8 * 2**20
"""Bytes by which the memory may grow."""


def drip(text: bytes, *, seconds: float = 0.02) -> Script:
    """Make a script that answers a byte at a time, and begins anew at the end."""

    def script(visit: Visit) -> None:
        visit.request()
        while visit.going_on():
            for byte in text:
                visit.say(bytes([byte]))
                visit.pause(seconds)

    return script


def endless(head: bytes, piece: bytes) -> Script:
    """Make a script whose answer has no end."""

    def script(visit: Visit) -> None:
        visit.request()
        visit.say(head)
        while visit.going_on():
            visit.say(piece)

    return script


def silence(visit: Visit) -> None:
    """Take the request and say nothing."""
    visit.request()
    visit.linger()


def deafness(visit: Visit) -> None:
    """Take not even the request."""
    while visit.going_on():
        visit.pause(10)


def begun(visit: Visit) -> None:
    """Promise more than comes, and wait."""
    visit.request()
    visit.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
    visit.linger()


def reset_at_once(visit: Visit) -> None:
    """Take the request and reset the connection."""
    visit.request()
    visit.reset()


def reset_in_the_middle(visit: Visit) -> None:
    """Reset the connection in the middle of the body."""
    visit.request()
    visit.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
    visit.reset()


def lengths(*values: bytes) -> bytes:
    """Make an answer with these lengths."""
    lines = b"".join(b"Content-Length: %b\r\n" % value for value in values)
    return b"HTTP/1.1 200 OK\r\n" + lines + b"\r\nab"


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\n"

LATE: dict[str, Script] = {
    "silence": silence,
    "deafness": deafness,
    "a body that stops": begun,
    "a head by bytes": drip(HEAD + b"X-Long: " + b"x" * 10_000),
    "a body by bytes": drip(HEAD + b"Content-Length: 4000\r\n\r\n" + b"x" * 4000),
    "a body by bytes, without an end": drip(HEAD + b"\r\n" + b"x" * 100),
    "chunks by bytes": drip(CHUNKED + b"1\r\nx\r\n" * 1000),
    "a chunk's extension by bytes": drip(CHUNKED + b"1;" + b"x" * 10_000),
    "100 by and by": drip(b"HTTP/1.1 100 Continue\r\n\r\n", seconds=0.001),
}
BROKEN: dict[str, Script] = {
    "an end before an answer": lambda visit: None,
    "an end after the request": once(b""),
    "a reset before an answer": reset_at_once,
    "a reset in the middle": reset_in_the_middle,
    "an end in the middle of the head": once(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "an end in the middle of the body": once(HEAD + b"Content-Length: 100\r\n\r\nabc"),
    "an end in the middle of a chunk": once(CHUNKED + b"64\r\nabc"),
    "an end between chunks": once(CHUNKED + b"3\r\nabc\r\n"),
    "a header of a megabyte": once(HEAD + b"X: " + b"x" * 2**20 + b"\r\n\r\n"),
    "a megabyte of headers": once(HEAD + b"X: y\r\n" * 175_000 + b"\r\n"),
    "a megabyte of a status line": once(b"HTTP/1.1 200 " + b"x" * 2**20 + b"\r\n\r\n"),
    "a header without an end": endless(HEAD + b"X: ", b"x" * 65536),
    "headers without an end": endless(HEAD, b"X: y\r\n" * 1000),
    "100 without an end": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    "103 with a megabyte": once(b"HTTP/1.1 103 x\r\nX: " + b"x" * 2**20 + b"\r\n\r\n"),
    "blank lines without an end": endless(b"", b"\r\n" * 1000),
    "trailers without an end": endless(CHUNKED + b"0\r\n", b"X: y\r\n" * 1000),
    "a chunk's extension without an end": endless(CHUNKED + b"1;", b"x" * 1000),
    "a chunk of no length": once(CHUNKED + b"xyz\r\nabc\r\n0\r\n\r\n"),
    "a chunk of a negative length": once(CHUNKED + b"-3\r\nabc\r\n0\r\n\r\n"),
    "a chunk of a huge length": once(CHUNKED + b"f" * 40 + b"\r\nabc"),
    "a chunk longer than it says": once(CHUNKED + b"2\r\nabc\r\n0\r\n\r\n"),
    "an unknown transfer coding": once(HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    "two lengths": once(lengths(b"2", b"3")),
    "a negative length": once(lengths(b"-1")),
    "a length that is none": once(lengths(b"two")),
    "a length with a sign": once(lengths(b"+2")),
    "a length beyond counting": once(lengths(b"9" * 400)),
    "a length beyond reading": once(lengths(b"9" * 5000)),
    "a chunk of a length beyond reading": once(CHUNKED + b"9" * 5000 + b"\r\nabc"),
    "a status beyond reading": once(b"HTTP/1.1 " + b"2" * 5000 + b" OK\r\n\r\n"),
    "switching protocols": once(b"HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
    "no HTTP": once(b"220 mail.example ESMTP\r\n"),
    "another version of HTTP": once(b"HTTP/2.0 200 OK\r\n\r\n"),
    "HTTP of 1991": once(b"<html>hello</html>"),
    "a status that is none": once(b"HTTP/1.1 999999 OK\r\n\r\n"),
    "a NUL in a header": once(HEAD + b"X: a\x00b\r\nContent-Length: 0\r\n\r\n"),
    "a blank before the colon": once(HEAD + b"Content-Length : 2\r\n\r\nok"),
    "noise": once(bytes(range(256)) * 400),
    "TLS": once(b"\x15\x03\x01\x00\x02\x02\x28"),
}  # fmt: skip
GENEROUS: dict[str, Script] = {
    "a body without an end": endless(HEAD + b"\r\n", b"x" * 65536),
    "a body of a petabyte": endless(HEAD + b"Content-Length: %d\r\n\r\n" % 2**50, b"x" * 65536),
    "chunks without an end": endless(CHUNKED, b"1000\r\n" + b"x" * 4096 + b"\r\n"),
    "small chunks without an end": endless(CHUNKED, b"1;ext=aaaaaaaa\r\nx\r\n" * 1000),
    "a gzip bomb": endless(HEAD + b"Content-Encoding: gzip\r\n\r\n", gzip.compress(b"0" * 10**7)),
    "more than was asked for": once(OK + OK + b"HTTP/1.1 500 No\r\n\r\n" + b"x" * 10**6),
}


def cases(scripts: dict[str, Script]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test with each script."""
    return pytest.mark.parametrize("script", scripts.values(), ids=list(scripts))


def timed(outbound: Outbound, url: str) -> float:
    """Give the seconds that a failing post takes."""
    began = time.monotonic()
    with pytest.raises(Unreachable):
        outbound.post(url, headers={}, body=b"{}", deadline=DEADLINE)
    return time.monotonic() - began


@cases(LATE)
def test_the_deadline_holds(receive: Receive, reach: Reach, script: Script) -> None:
    """It does not begin anew with a byte."""
    seconds = timed(reach(), receive(script).url())
    assert DEADLINE - 0.05 < seconds < DEADLINE + SLACK


@cases(BROKEN)
def test_no_answer_comes_of_a_broken_one(receive: Receive, reach: Reach, script: Script) -> None:
    """It is known at once, long before the deadline."""
    receiver = receive(script)
    with pytest.raises(Unreachable) as caught:
        reach().post(receiver.url(), headers={}, body=b"{}", deadline=30.0)
    assert "within 30 seconds" not in caught.value.reason
    assert len(caught.value.reason) < 300


@cases(GENEROUS)
def test_no_more_is_read_than_wanted(receive: Receive, reach: Reach, script: Script) -> None:
    """The beginning is enough, and memory stays flat."""
    process = psutil.Process()
    outbound, receiver = reach(), receive(script)
    outbound.post(receiver.url(), headers={}, body=b"")
    before = process.memory_info().rss
    for _ in range(5):
        answer = outbound.post(receiver.url(), headers={}, body=b"", deadline=5.0)
        assert answer.status == 200
        assert len(answer.body) <= 4096
    assert process.memory_info().rss - before < FLAT


def test_a_large_body_that_nobody_reads(receive: Receive, reach: Reach) -> None:
    """Sending has no more time than anything else."""
    began = time.monotonic()
    with pytest.raises(Unreachable):
        reach().post(receive(deafness).url(), headers={}, body=b"x" * 2**26, deadline=DEADLINE)
    assert time.monotonic() - began < DEADLINE + SLACK


def slow_reading(visit: Visit) -> None:
    """Take a little now and then: each time, something more can be sent."""
    while visit.going_on():
        visit.socket.recv(20_000)
        visit.pause(0.05)


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_large_body_that_is_read_slowly(
    receive: Receive, reach: Reach, authority: trustme.CA, ca_file: str, *, encrypted: bool
) -> None:
    """With TLS, too, where each piece sent could have a timeout of its own."""
    context = None
    if encrypted:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
    receiver = receive(slow_reading, context=context)
    outbound = reach(outbound_ca_file=ca_file)
    began = time.monotonic()
    with pytest.raises(Unreachable):
        outbound.post(receiver.url(), headers={}, body=b"x" * 2**26, deadline=DEADLINE)
    assert time.monotonic() - began < DEADLINE + SLACK


def test_a_connection_that_is_not_taken(receive: Receive, reach: Reach) -> None:
    """A port whose queue is full drops whoever knocks: a black hole."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        crowd = [socket.socket() for _ in range(4)]
        try:
            for each in crowd:
                each.setblocking(False)
                each.connect_ex(("127.0.0.1", port))
            seconds = timed(reach(), f"http://127.0.0.1:{port}/")
        finally:
            for each in crowd:
                each.close()
    assert seconds < DEADLINE + SLACK


@pytest.mark.parametrize("text", [b"", b"\x16\x03\x03", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_tls_that_stalls(receive: Receive, reach: Reach, text: bytes) -> None:
    """At the first message or in the middle of it; no TLS at all is known at once."""

    def stall(visit: Visit) -> None:
        visit.say(text)
        visit.linger()

    url = receive(stall).url().replace("http:", "https:")
    assert timed(reach(), url) < DEADLINE + SLACK


def test_tls_by_bytes(receive: Receive, reach: Reach) -> None:
    """A handshake that comes a byte at a time ends with the deadline."""
    record = b"\x16\x03\x03\x40\x00" + b"\x02\x00\x3f\xfc" + b"\x03\x03" + b"\x00" * 16_000
    url = receive(drip(record)).url().replace("http:", "https:")
    assert timed(reach(), url) < DEADLINE + SLACK


def test_nothing_is_left_behind(receive: Receive, reach: Reach) -> None:
    """After hundreds of failures there is no thread and no open file more than before."""
    outbound = reach()
    scripts = [silence, begun, reset_at_once, reset_in_the_middle, *list(BROKEN.values())[:8]]
    receivers = [receive(script) for script in scripts]
    for receiver in receivers:
        with pytest.raises(Unreachable):
            outbound.post(receiver.url(), headers={}, body=b"", deadline=0.05)
    threads = set(threading.enumerate())
    files = psutil.Process().num_fds()
    for _ in range(10):
        for receiver in receivers:
            with pytest.raises(Unreachable):
                outbound.post(receiver.url(), headers={}, body=b"", deadline=0.02)
    for receiver in receivers:
        receiver.close()
    assert set(threading.enumerate()) <= threads
    assert psutil.Process().num_fds() <= files


NOISE = st.binary(max_size=400) | st.lists(
    st.sampled_from(
        [
            *(HEAD, CHUNKED, OK, b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.0 204 \r\n"),
            *(b"\r\n", b"\n", b"\r", b":", b" ", b"\x00", b"0\r\n\r\n", b"5;a=b\r\nhello\r\n"),
            *(b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"X: y\r\n"),
            *(b"Connection: close\r\n", b"Connection: upgrade\r\n", b"hello"),
        ]
    ),
    max_size=12,
).map(b"".join)


def test_any_answer_is_one_or_none(receive: Receive, reach: Reach) -> None:
    """Whatever bytes come: an answer, or the error that says why there is none."""
    said = [b""]
    receiver = receive(lambda visit: once(said[0])(visit))
    outbound = reach()

    @settings(deadline=None)
    @given(NOISE)
    def post(noise: bytes) -> None:
        said[0] = noise
        assert "within" not in outcome(outbound, receiver.url())

    post()


def outcome(outbound: Outbound, url: str) -> str:
    """Give the status of an answer, or the reason why there is none."""
    try:
        return str(outbound.post(url, headers={}, body=b"{}").status)
    except Unreachable as error:
        return error.reason
