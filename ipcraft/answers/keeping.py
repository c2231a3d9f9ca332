"""Keeping answers in the transaction of the change, and giving them again.

A key is looked up with the first statement of the request's transaction, and its answer is written
with the last: neither costs a round trip. While the request runs its transaction holds the lock of
the key. Both end with it, also when the process is killed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

from sqlalchemy import LargeBinary, select
from sqlalchemy.dialects.postgresql import insert as insert_or

from ipcraft.answers.sealing import Answer, SealBroken, seal, secret_for, unseal
from ipcraft.answers.tables import kept_answers
from ipcraft.data.statements import Row, Statement, given, own
from ipcraft.data.transactions import Transaction
from ipcraft.errors import Conflict, RequestError

KEPT_SECONDS = 24 * 60 * 60
"""How long an answer is given again."""

MOST_KEPT = 8 * 1024 * 1024
"""Bytes of a sealed answer. Some 100,000 addresses fit, if they are not random."""

_PURPOSE = "answers"
_DIGEST_BYTES = 16

_c = kept_answers.c
_BY_KEY = (_c.organization_id == own(), _c.key == given("key", LargeBinary()))
_FIND = Statement(select(_c.request, _c.answer, _c.created_at).where(*_BY_KEY))
_insert = insert_or(kept_answers)
# Whoever keeps an answer holds the key's lock and has found none: what is replaced is too old.
_KEEP = Statement(
    _insert.on_conflict_do_update(
        index_elements=list(kept_answers.primary_key),
        set_={name: _insert.excluded[name] for name in ("request", "answer", "created_at")},
    ),
    independent=True,
)


class KeyReused(RequestError):
    """Refuse a key that another request came with."""

    code = "idempotency_key_reused"


class StillRunning(Conflict):
    """Refuse a request whose first sending has not ended."""

    code = "still_running"


class AnswerTooLarge(RequestError):
    """Refuse a request with a key whose answer is too large to be kept."""

    code = "answer_too_large"


class Replay(Exception):
    """End a transaction: the request was answered before."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedRequest:
    """Be a request with a key, as digests.

    `key` stands for the key on its route, `content` for all that makes the request this one;
    `secret` seals its answer.
    """

    key: bytes
    content: bytes
    secret: bytes


class Answers:
    """Keep answers with the keys that `key_for` derives when they are first needed."""

    def __init__(self, key_for: Callable[[str], bytes]) -> None:
        self._key_for = key_for
        self._key: bytes | None = None

    def request(self, client_key: str, *, route: str, content: tuple[bytes, ...]) -> KeyedRequest:
        """Describe a request: its key, where that counts, and the parts of its content."""
        key = self._key = self._key or self._key_for(_PURPOSE)
        return KeyedRequest(
            key=_digest(key, (route.encode(), client_key.encode())),
            content=_digest(key, content),
            secret=secret_for(key, client_key),
        )

    def begin(self, tx: Transaction, request: KeyedRequest) -> None:
        """Look for the answer with the transaction's first statement, which raises what is found.

        That is `Replay`, `KeyReused`, or `StillRunning`.
        """
        tx.try_lock("answer", request.key.hex(), refusal=_still_running())
        tx.ask(_FIND, lambda found: _settle(tx, request, found), key=request.key)

    def keep(self, tx: Transaction, request: KeyedRequest, answer: Answer) -> None:
        """Write the answer, as the last thing before the commit. Raises `AnswerTooLarge`."""
        sealed = seal(answer, secret=request.secret, owner=_owner(tx, request))
        if len(sealed) > MOST_KEPT:
            raise AnswerTooLarge(
                "The answer is too large to be kept for an Idempotency-Key; "
                "send fewer items at once, or no key"
            )
        tx.write(_KEEP, key=request.key, request=request.content, answer=sealed, created_at=tx.now)


def _settle(tx: Transaction, request: KeyedRequest, found: Row | None) -> None:
    if found is None:
        return
    content, sealed, created_at = found
    if created_at <= tx.now - KEPT_SECONDS:
        return
    if content != request.content:
        raise KeyReused(
            "This Idempotency-Key came with another request before; a new request needs a new key"
        )
    try:
        raise Replay(unseal(sealed, secret=request.secret, owner=_owner(tx, request)))
    except SealBroken as error:
        raise Conflict(
            "This request was done before, and its answer cannot be given again",
            code="answer_lost",
        ) from error


def _still_running() -> StillRunning:
    return StillRunning(
        "The first request with this Idempotency-Key is still running; try again in a second"
    )


def _owner(tx: Transaction, request: KeyedRequest) -> bytes:
    return (tx.organization_id or "").encode() + request.key


def _digest(key: bytes, parts: tuple[bytes, ...]) -> bytes:
    """Digest the parts, each with its length: no two lists of parts look alike."""
    digest = blake2b(key=key, digest_size=_DIGEST_BYTES)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()
