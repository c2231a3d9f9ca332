"""Questions to the issuer, by HTTP: each has an answer in time, or none.

Everything that one request of ours has to ask shares one deadline. It holds whatever is slow: the
name server, the connection, TLS, or an answer that comes a byte at a time.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import requests

PATIENCE = 1.5
"""Seconds for all questions of one request."""

LARGEST_ANSWER = 256 * 1024
"""Bytes of an answer."""

_PIECE = 16 * 1024
_AT_ONCE = 8
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": "ipcraft-oidc",
}

_askers = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="oidc")
"""Threads that wait for the issuer: of a look-up of its name, nothing else can be abandoned."""


class NoAnswer(Exception):
    """Say that the issuer gives no answer that could be used, and why; never what was sent."""


class Deadline:
    """Be the moment until which a request of ours waits for the issuer."""

    __slots__ = ("_end",)

    def __init__(self, seconds: float = PATIENCE) -> None:
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Give the seconds that are left, more than none. Raises `NoAnswer` when none are."""
        seconds = self._end - time.monotonic()
        if seconds <= 0:
            raise NoAnswer("it did not answer in time")
        return seconds


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold what the issuer answered: a JSON object."""

    status: int
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Hold what is sent. Neither form nor credentials are shown."""

    url: str
    form: Mapping[str, str] | None = None
    authorization: str | None = None

    def __repr__(self) -> str:
        return f"Question(url={self.url!r})"


def ask(question: Question, deadline: Deadline) -> Answer:
    """Give the answer: to a POST if there is a form, else to a GET.

    Raises `NoAnswer` when none comes in time, when it is a redirection, too large, or no JSON
    object.
    """
    waiting: Future[Answer] = _askers.submit(_ask, question, deadline)
    try:
        return waiting.result(deadline.remaining())
    except NotYet as error:
        waiting.cancel()
        raise NoAnswer("it did not answer in time") from error


def _ask(question: Question, deadline: Deadline) -> Answer:
    # Heavy, and not needed before somebody signs in.
    import requests
    from urllib3.exceptions import HTTPError

    try:
        with requests.Session() as session, _send(session, question, deadline) as response:
            text = _read(response, deadline)
    except (OSError, HTTPError) as error:  # all errors of requests are the former
        # The name alone: the text of some errors repeats what was sent.
        raise NoAnswer(f"it cannot be reached ({type(error).__name__})") from None
    if response.is_redirect:
        raise NoAnswer("it answered with a redirection, and none is followed")
    return Answer(response.status_code, _object(text))


def _send(session: requests.Session, question: Question, deadline: Deadline) -> requests.Response:
    return session.request(
        "GET" if question.form is None else "POST",
        question.url,
        data=question.form,
        headers=_HEADERS,
        # Always given: without it, requests looks for credentials in ~/.netrc.
        auth=_authorize(question.authorization),
        timeout=deadline.remaining(),
        allow_redirects=False,
        stream=True,
    )


def _authorize(
    authorization: str | None,
) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    def authorize(request: requests.PreparedRequest) -> requests.PreparedRequest:
        if authorization is not None:
            request.headers["Authorization"] = authorization
        return request

    return authorize


def _read(response: requests.Response, deadline: Deadline) -> bytes:
    text = bytearray()
    # What is there now, however little: a fuller piece could be long in coming.
    while piece := response.raw.read1(_PIECE, decode_content=False):
        text += piece
        if len(text) > LARGEST_ANSWER:
            raise NoAnswer(f"it answered more than {LARGEST_ANSWER} bytes")
        deadline.remaining()
    return bytes(text)


def _object(text: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise NoAnswer("it answered something else than a JSON object")
    return value
