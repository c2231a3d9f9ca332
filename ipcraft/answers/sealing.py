"""Sealing: answers as the database keeps them, compressed and encrypted (RFC 8439).

An answer may hold a secret that is shown this once. Its key is made of the installation's secret
key and of the client's ``Idempotency-Key``, which is nowhere kept: who has the database and even
the secret key opens nothing. A sealed answer is one version byte, a nonce of 12 bytes, the
ciphertext and its tag.

PERF: each answer has a key of its own. To set one up costs OpenSSL 7 us for AES-GCM, more than it
takes to seal an answer with ChaCha20-Poly1305.
"""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass
from hashlib import blake2b

import orjson

_VERSION = b"\x02"
_NONCE_LENGTH = 12
_SECRET_LENGTH = 32
_HEAD = len(_VERSION) + _NONCE_LENGTH
_LENGTH_BYTES = 4
_FASTEST = 1
_WORTH_COMPRESSING = 1024
_PLAIN, _COMPRESSED = b"p", b"z"


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold an answer: status code, the headers its resource set, and the body's bytes."""

    status: int
    headers: dict[str, str]
    body: bytes


class SealBroken(Exception):
    """Say that an answer cannot be opened: it was sealed with another secret key."""


def seal(answer: Answer, *, secret: bytes, owner: bytes) -> bytes:
    """Seal an answer with 32 secret bytes; `owner` is whose it is, and opens it no other's."""
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    nonce = os.urandom(_NONCE_LENGTH)
    return _VERSION + nonce + ChaCha20Poly1305(secret).encrypt(nonce, _packed(answer), owner)


def unseal(sealed: bytes, *, secret: bytes, owner: bytes) -> Answer:
    """Give the answer. Raises `SealBroken`."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    version, nonce, ciphertext = sealed[:1], sealed[1:_HEAD], sealed[_HEAD:]
    try:
        if version != _VERSION:
            raise InvalidTag
        return _unpacked(ChaCha20Poly1305(secret).decrypt(nonce, ciphertext, owner))
    except (InvalidTag, ValueError) as error:  # a ValueError where there is no whole nonce
        raise SealBroken("the answer was sealed with another secret key") from error


def secret_for(key: bytes, client_key: str) -> bytes:
    """Give the 32 bytes that seal the answers to one client's key."""
    return blake2b(client_key.encode(), key=key, digest_size=_SECRET_LENGTH).digest()


def _packed(answer: Answer) -> bytes:
    """Put the answer into bytes: how long its head is, the head in JSON, and the body."""
    head = orjson.dumps([answer.status, answer.headers])
    packed = len(head).to_bytes(_LENGTH_BYTES, "big") + head + answer.body
    if len(packed) < _WORTH_COMPRESSING:
        return _PLAIN + packed
    # PERF: a megabyte of JSON takes 8 ms and becomes a tenth; slower levels gain a few percent.
    return _COMPRESSED + zlib.compress(packed, _FASTEST)


def _unpacked(opened: bytes) -> Answer:
    form, packed = opened[:1], opened[1:]
    if form == _COMPRESSED:
        packed = zlib.decompress(packed)
    end = _LENGTH_BYTES + int.from_bytes(packed[:_LENGTH_BYTES], "big")
    status, headers = orjson.loads(packed[_LENGTH_BYTES:end])
    return Answer(status, headers, packed[end:])
