"""What is no request, or too large to be one, is refused in the shape of all errors."""

from __future__ import annotations

import json
import re
import socket
from http.client import HTTPResponse
from typing import TYPE_CHECKING

import pytest
import requests

from ipcraft.cli.unreadable_requests import LINE_LIMIT

if TYPE_CHECKING:
    from ipcraft.testing.fixtures import Served

_PATIENCE = 30.0

LINE = b"GET /healthz HTTP/1.1\r\nHost: test\r\n"

UNREADABLE = [
    pytest.param(b"hello\r\n\r\n", 400, "malformed_request", id="no request line"),
    pytest.param(LINE + b"Two Words: 1\r\n\r\n", 400, "malformed_request", id="a header's name"),
    pytest.param(LINE + b"A: 1\x00\r\n\r\n", 400, "malformed_request", id="a header's value"),
    pytest.param(
        LINE + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400, "malformed_request", id="two"
    ),
    pytest.param(LINE + b"Expect: 200-ok\r\n\r\n", 417, "expectation_failed", id="expectation"),
    pytest.param(LINE + b"A: " + b"a" * 9_000 + b"\r\n\r\n", 431, "headers_too_large", id="long"),
    pytest.param(LINE + b"A: a\r\n" * 200 + b"\r\n", 431, "headers_too_large", id="many"),
    pytest.param(
        LINE + b"Transfer-Encoding: br\r\n\r\n", 501, "not_implemented", id="transfer coding"
    ),
]


def sent(served: Served, request: bytes) -> tuple[HTTPResponse, bytes]:
    """Send bytes, and give the answer when the connection has ended."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=_PATIENCE) as connection:
        connection.sendall(request)
        answer = HTTPResponse(connection)
        answer.begin()
        return answer, answer.read()


@pytest.mark.parametrize(("request_", "status", "code"), UNREADABLE)
def test_what_is_no_request_gets_an_error(
    served: Served, request_: bytes, status: int, code: str
) -> None:
    """The answer is the object that every error is, and the connection ends."""
    answer, body = sent(served, request_)
    error = json.loads(body)
    assert (answer.status, error["code"]) == (status, code)
    assert set(error) == {"error", "code", "request_id"}
    assert error["error"]
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Connection"] == "close"
    assert answer.headers["X-Request-Id"] == error["request_id"]
    assert re.fullmatch("[0-9a-f]{32}", error["request_id"])


def test_a_search_for_ten_thousand_letters_is_told_what_is_wrong(served: Served) -> None:
    """A query that is longer than a request line may be is a 414 with a sentence."""
    answer = requests.get(
        f"{served.url}/api/v1/search", params={"q": "a" * 10_000}, timeout=_PATIENCE
    )
    assert (answer.status_code, answer.json()["code"]) == (414, "uri_too_long")
    assert str(LINE_LIMIT) in answer.json()["error"]


def test_the_longest_line_is_read(served: Served) -> None:
    """A line of as many bytes as may be reaches the application."""
    path = "/api/v1/search?q="
    rest = LINE_LIMIT - len(f"GET {path} HTTP/1.1")
    answer = requests.get(f"{served.url}{path}{'a' * rest}", timeout=_PATIENCE)
    assert answer.status_code == 401
    answer = requests.get(f"{served.url}{path}{'a' * (rest + 1)}", timeout=_PATIENCE)
    assert answer.status_code == 414


def test_the_log_tells_of_it_under_the_id(served: Served) -> None:
    """Whoever reads the log finds the id that the client was given, and why."""
    _, body = sent(served, b"hello\r\n\r\n")
    (line,) = (
        each
        for each in served.log.read_text().splitlines()
        if json.loads(body)["request_id"] in each
    )
    assert "a request cannot be read" in line
    assert "hello" in line


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Script_Name": "/elsewhere"}, id="path"),
        pytest.param({"X-Forwarded-Proto": "https", "X-Forwarded-Ssl": "off"}, id="scheme"),
    ],
)
def test_nobody_says_for_us_where_a_request_was_sent(
    served: Served, headers: dict[str, str]
) -> None:
    """A proxy that lets through what its client says of that cannot do harm with it."""
    answer = requests.get(f"{served.url}/healthz", headers=headers, timeout=_PATIENCE)
    assert answer.status_code == 200
