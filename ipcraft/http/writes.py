"""Writes that are safe to send again, to send on a condition, and to try.

``Idempotency-Key``, ``If-Match`` and ``?dry_run=true`` are served alike: the whole responder, with
all transactions it opens, is run as one, and makes its answer before that is committed. So the
answer is kept together with the change, a tag is checked where the change is made, and what was
only tried is rolled back with everything it did. When others overtook the transaction the responder
is run again from its start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, Protocol

import falcon

from ipcraft.answers.keeping import Answers, KeyedRequest, Replay
from ipcraft.answers.sealing import Answer
from ipcraft.contributions import Identity, Route
from ipcraft.data.transactions import RolledBack, Transaction
from ipcraft.errors import Invalid
from ipcraft.http.conditions import MATCH, NONE_MATCH, Conditions, entity_tag
from ipcraft.http.errors import BodyTooLarge
from ipcraft.http.forgery import SAFE_METHODS
from ipcraft.http.media import LIST_LIMIT, read_body
from ipcraft.http.request import Request
from ipcraft.http.response import Response

KEY = "Idempotency-Key"
"""The header that names a request, so that it is done once however often it is sent."""

REPLAYED = "Idempotent-Replayed"
"""The header of an answer that was given before."""

DRY_RUN = "dry_run"
"""The parameter of the query that has a write tried and not done."""

DRY = "Dry-Run"
"""The header of an answer to a write that was not done."""

LONGEST_KEY = 255
"""Characters of a key."""

KEY_PATTERN = "^[ -~]+$"
"""What a key looks like, as JSON Schema has it."""

_TRUTH = {"true": True, "false": False}
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500

Responder = Callable[..., None]


class Transact(Protocol):
    """Run work in a transaction of an identity's organization, as `Application.transact` does."""

    def __call__(self, identity: Identity, work: Callable[[Transaction], None], /) -> None:
        """Run it, again where others overtook it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Care:
    """Say what a write asks for beyond being done."""

    key: str | None
    conditions: Conditions | None
    dry: bool

    @classmethod
    def of(cls, req: falcon.Request) -> Care | None:
        """Read it off the request, None where it asks for nothing. Raises `Invalid`."""
        env = req.env
        # PERF: most writes ask for nothing; they pay for three look-ups.
        key, dry = env.get("HTTP_IDEMPOTENCY_KEY"), req.params.get(DRY_RUN)
        conditions = Conditions.of(env)
        if key is None and dry is None and conditions is None:
            return None
        care = cls(key=_checked_key(key), conditions=conditions, dry=_is_dry(dry))
        return care if care != _NONE else None


_NONE = Care(key=None, conditions=None, dry=False)


class Writes:
    """Serve the writes of all routes with the care they ask for."""

    def __init__(self, transact: Transact, answers: Answers) -> None:
        self._transact = transact
        self._answers = answers

    def careful(self, route: Route, responders: Mapping[str, Responder]) -> dict[str, Responder]:
        """Give the responders of a route, by method; those that write take care."""
        show = responders.get("GET")
        return {
            method: responder
            if method in SAFE_METHODS
            else self._careful(route, method, responder, show)
            for method, responder in responders.items()
        }

    def _careful(
        self, route: Route, method: str, responder: Responder, show: Responder | None
    ) -> Responder:
        refuses = route.public or method in route.irrevocable

        @wraps(responder)
        def respond(req: Request, resp: Response, **params: Any) -> None:
            care = Care.of(req)
            if care is None:
                responder(req, resp, **params)
            elif refuses:
                raise _unsupported(care)
            else:
                write = _Write(req, resp, params, care=care, responder=responder, show=show)
                self._run(write, route)

        return respond

    def _run(self, write: _Write, route: Route) -> None:
        req, resp, care = write.req, write.resp, write.care
        identity: Identity = req.context.identity
        body = _whole_body(req)
        req.keep(body)
        request = None
        if care.dry:
            resp.set_header(DRY, "true")
        elif care.key is not None:
            request = self._answers.request(
                care.key,
                route=f"{req.method} {route.path}",
                content=_content(req, body, identity),
            )
        before = resp.headers

        def work(tx: Transaction) -> None:
            write.begin(before, tx)
            if request is not None:
                self._answers.begin(tx, request)
            write.respond(tx)
            self._finish(tx, write, request)

        try:
            self._transact(identity, work)
        except Replay as replay:
            _send_again(resp, replay.answer)
        except RolledBack:
            pass
        finally:
            write.end()

    def _finish(self, tx: Transaction, write: _Write, request: KeyedRequest | None) -> None:
        if tx.failed:  # its responder has answered all the same
            raise RolledBack
        if write.care.dry:
            tx.rehearse()
            write.resp.forget_cookies()
            raise RolledBack
        tx.settle()
        status = write.resp.status_code
        transient = status >= _SERVER_ERROR or status == _TOO_MANY_REQUESTS
        if request is not None and not transient and not tx.erased:
            self._answers.keep(tx, request, write.answer())


class _Write:
    """Be one request that writes, from its first run to its answer."""

    __slots__ = (
        "_before",
        "_identity",
        "_params",
        "_responder",
        "_show",
        "care",
        "req",
        "resp",
    )

    def __init__(
        self,
        req: Request,
        resp: Response,
        params: Mapping[str, Any],
        *,
        care: Care,
        responder: Responder,
        show: Responder | None,
    ) -> None:
        self.req = req
        self.resp = resp
        self.care = care
        self._params = params
        self._responder = responder
        self._show = show
        self._before: Mapping[str, str] = {}
        self._identity: Identity = req.context.identity

    def begin(self, before: Mapping[str, str], tx: Transaction) -> None:
        """Be as new: others may have overtaken a run before this one."""
        self._before = before
        self.req.rewind()
        self._identity = tx.identity or self._identity
        self.req.context.identity = replace(self._identity, within=tx)
        self.resp.begin(before)

    def end(self) -> None:
        """Leave the transaction, which is over."""
        self.req.context.identity = self._identity

    def respond(self, tx: Transaction) -> None:
        """Do the work and answer; conditions are checked before its first write."""
        conditions = self.care.conditions
        if conditions is not None:
            # Not every plugin locks what it changes: two conditional writes of it exclude
            # each other all the same.
            tx.lock("resource", self.req.path)
            tx.guard(lambda: conditions.check(self._tag()))
        self._responder(self.req, self.resp, **self._params)

    def answer(self) -> Answer:
        """Give what was answered, without what was on the answer before and is of its request."""
        resp = self.resp
        resp.read_stream()
        body = resp.render_body()
        headers = {
            name: value for name, value in resp.headers.items() if self._before.get(name) != value
        }
        return Answer(resp.status_code, headers, body or b"")

    def _tag(self) -> str | None:
        """Give the tag that a GET would give now."""
        if self._show is None:
            return None
        shown = Response(options=self.resp.options)
        self._show(self.req, shown, **self._params)
        return entity_tag(shown)


def _send_again(resp: Response, answer: Answer) -> None:
    resp.status = answer.status
    resp.text = resp.stream = resp.media = None
    resp.data = answer.body or None
    resp.set_headers(answer.headers)
    resp.set_header(REPLAYED, "true")


def _whole_body(req: falcon.Request) -> bytes:
    try:
        return read_body(req, limit=LIST_LIMIT)
    except BodyTooLarge as error:
        raise BodyTooLarge(
            f"The body of a request with {KEY}, a condition or {DRY_RUN} "
            f"may have at most {LIST_LIMIT} bytes"
        ) from error


def _content(req: falcon.Request, body: bytes, identity: Identity) -> tuple[bytes, ...]:
    """Give all that makes a request with a key another one."""
    texts = (req.path, req.query_string, identity.user_id or "")
    return (*(text.encode() for text in texts), body)


def _checked_key(key: str | None) -> str | None:
    if key is None or (key.isascii() and key.isprintable() and 0 < len(key) <= LONGEST_KEY):
        return key
    raise Invalid(
        f"{KEY} must have 1 to {LONGEST_KEY} printable ASCII characters, such as those of a UUID",
        code="malformed_idempotency_key",
    )


def _is_dry(value: str | list[str] | None) -> bool:
    if value is None:
        return False
    if not isinstance(value, str) or value not in _TRUTH:
        raise Invalid.field(DRY_RUN, f"{DRY_RUN} must be true or false")
    return _TRUTH[value]


def _unsupported(care: Care) -> Invalid:
    if care.dry:
        return Invalid.field(
            DRY_RUN,
            "This cannot be tried: it does what cannot be taken back; send it without dry_run",
            code="dry_run_unsupported",
        )
    if care.key is not None:
        return Invalid(
            f"This takes no {KEY}: it does what no transaction takes back",
            code="idempotency_unsupported",
        )
    return Invalid(
        f"This takes no {MATCH} or {NONE_MATCH}: it does what no transaction takes back",
        code="condition_unsupported",
    )
