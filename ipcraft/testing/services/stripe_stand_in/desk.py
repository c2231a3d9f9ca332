"""The desk: who may ask, and what the same question is answered the second time.

Source: https://docs.stripe.com/api/idempotent_requests
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Condition, Event, RLock

import orjson

from ipcraft.testing.services.processes import DEADLINE
from ipcraft.testing.services.stripe_stand_in import parameters
from ipcraft.testing.services.stripe_stand_in.endpoints import Endpoint, find
from ipcraft.testing.services.stripe_stand_in.forms import read_form
from ipcraft.testing.services.stripe_stand_in.ledger import API_VERSION, Ledger, Thing
from ipcraft.testing.services.stripe_stand_in.refusals import Refusal

API_KEY = "sk_test_stand_in"

_VERSION = re.compile(r"20\d\d-\d\d-\d\d(\.[a-z]+)?")
_KEPT = 86_400
_LONGEST_KEY = 255
_FAILURE: Thing = {"error": {"type": "api_error", "message": "An unknown error occurred"}}


@dataclass(frozen=True, slots=True)
class Question:
    """Hold a request; names of headers are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def key(self) -> str | None:
        """Give the key of idempotency, which counts with a POST only."""
        return self.headers.get("idempotency-key") if self.method == "POST" else None


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold an answer; one that was given before is `old`."""

    status: int
    body: Thing
    old: bool = False


@dataclass(slots=True)
class _Remembered:
    """Hold what a key was used for, and what was answered, once it is."""

    use: tuple[str, bytes]
    at: float
    answer: Answer | None = None


class Desk:
    """Answer requests from a ledger.

    While it is `failing`, every request that is understood fails, and is remembered to have.
    While it is `forgetful`, everything is done and nobody is told.
    """

    def __init__(self, ledger: Ledger, *, clock: Callable[[], float]) -> None:
        self.key = API_KEY
        """The key that is let in."""
        self.failing = False
        self.forgetful = False
        self.asked: list[tuple[str, str, Thing]] = []
        """Method, path and values of each request that was understood and is no repetition."""
        self.open = Event()
        """While it is not set, requests that were understood wait."""
        self.open.set()
        self.lock = RLock()
        self._arrived = Condition()
        self._waiting = 0
        self._ledger = ledger
        self._clock = clock
        self._remembered: dict[str, _Remembered] = {}

    def answer(self, question: Question) -> Answer:
        """Answer a request."""
        try:
            _authenticate(question.headers, self.key)
            endpoint, name = find(question.method, question.path)
            form = read_form(_form_text(question))
            with self.lock:
                known = self._known(question)
                if known is not None:
                    return known
                values: Thing = parameters.read(form, endpoint.takes)
                self._remember(question)
            return self._execute(question, endpoint, name, values)
        except Refusal as refusal:
            return Answer(refusal.status, refusal.body)

    def wait_for(self, number: int) -> bool:
        """Wait until so many requests wait for `open`; tell whether they do."""
        with self._arrived:
            return self._arrived.wait_for(lambda: self._waiting >= number, DEADLINE)

    def _known(self, question: Question) -> Answer | None:
        """Give the answer that the same request was given. Raises `Refusal` for another one."""
        key = question.key
        if key is None:
            return None
        if not 0 < len(key) <= _LONGEST_KEY:
            raise Refusal(f"Idempotency keys have 1 to {_LONGEST_KEY} characters")
        known = self._remembered.get(key)
        if known is None or self._clock() - known.at > _KEPT:
            return None
        if known.use != (question.path, question.body):
            raise Refusal(
                "Keys for idempotent requests can only be used with the same parameters they were "
                f"first used with. Try using a key other than '{key}'.",
                kind="idempotency_error",
            )
        if known.answer is None:
            raise Refusal(
                f"There is currently another in-progress request using this key ({key}).",
                status=409,
                kind="idempotency_error",
                code="idempotency_key_in_use",
            )
        return Answer(known.answer.status, known.answer.body, old=True)

    def _remember(self, question: Question) -> None:
        if question.key is not None:
            use = (question.path, question.body)
            self._remembered[question.key] = _Remembered(use, self._clock())

    def _execute(self, question: Question, endpoint: Endpoint, name: str, values: Thing) -> Answer:
        with self._arrived:
            self._waiting += 1
            self._arrived.notify_all()
        self.open.wait()
        with self._arrived:
            self._waiting -= 1
        with self.lock:
            self.asked.append((question.method, question.path, values))
            answer = self._outcome(endpoint, name, values)
            if question.key is not None:
                self._remembered[question.key].answer = answer
            return answer

    def _outcome(self, endpoint: Endpoint, name: str, values: Thing) -> Answer:
        if self.failing:
            return Answer(500, _FAILURE)
        try:
            done = endpoint.work(self._ledger, name, values)
        except Refusal as refusal:
            return Answer(refusal.status, refusal.body)
        return Answer(200, orjson.loads(orjson.dumps(done)))  # as it is now, whatever comes


def _authenticate(headers: Mapping[str, str], key: str) -> None:
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        given = b64decode(given).decode().partition(":")[0]
    if not given:
        raise Refusal("You did not provide an API key.", status=401)
    if given != key:
        raise Refusal(f"Invalid API Key provided: {given[:8]}****", status=401)
    version = headers.get("stripe-version", API_VERSION)
    if not _VERSION.fullmatch(version):
        raise Refusal(f"Invalid Stripe API version: {version}")


def _form_text(question: Question) -> str:
    if question.method != "POST":
        if question.body:
            raise Refusal(f"A {question.method} has no body here")
        return question.query
    kind = question.headers.get("content-type", "").partition(";")[0]
    if question.body and kind != "application/x-www-form-urlencoded":
        raise Refusal(f"Invalid request: the content type is {kind or 'missing'}")
    if question.query:
        raise Refusal("Parameters of a POST stand in its body")
    return question.body.decode()
