"""Attempts to sign in: what ties the way back from the issuer to the browser that went there.

An attempt is a random id in a signed cookie. All that the issuer gets is derived from the id: the
state, the nonce, the PKCE verifier. So nothing is stored, and the cookie alone tells nothing.
"""

from __future__ import annotations

import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256

LIFETIME = 600
"""Seconds a person has at the issuer's."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """Be one way to the issuer and back. The secrets of it are not shown."""

    id: str
    destination: str
    """Where in the app the browser goes in the end: a path."""
    expires_at: int


@dataclass(frozen=True, slots=True)
class Secrets:
    """Hold what is derived from an attempt."""

    state: str
    """What the browser brings back (RFC 6749, section 10.12)."""
    nonce: str
    """What the ID token must hold (OpenID Connect Core, section 3.1.2.1)."""
    verifier: str
    """What only who began can show for the code (RFC 7636)."""

    def __repr__(self) -> str:
        return "Secrets(...)"

    @property
    def challenge(self) -> str:
        """Give the verifier's hash, by which the issuer will know it."""
        return _text(sha256(self.verifier.encode()).digest())


class Attempts:
    """Begin attempts, and seal them in cookies with a key of ours."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def begin(self, destination: str, *, now: int) -> Attempt:
        """Begin an attempt, which goes to the destination in the end."""
        return Attempt(secrets.token_urlsafe(), destination, now + LIFETIME)

    def secrets_of(self, attempt: Attempt) -> Secrets:
        """Derive the attempt's secrets."""
        return Secrets(*(self._derive(name, attempt.id) for name in ("state", "nonce", "verifier")))

    def seal(self, attempt: Attempt) -> str:
        """Give the cookie's value."""
        values = json.dumps([attempt.id, attempt.destination, attempt.expires_at])
        content = _text(values.encode())
        return f"{content}.{self._derive('cookie', content)}"

    def open(self, cookie: str, *, now: int) -> Attempt | None:
        """Give the attempt that we sealed; None for what we did not, and for one that is over."""
        content, _, seal = cookie.partition(".")
        if not same(seal, self._derive("cookie", content)):
            return None
        attempt = Attempt(*json.loads(urlsafe_b64decode(content + "==")))
        return attempt if now < attempt.expires_at else None

    def _derive(self, purpose: str, text: str) -> str:
        return _text(hmac.digest(self._key, f"{purpose}:{text}".encode(), "sha256"))


def same(text: str, other: str) -> bool:
    """Tell whether two texts are the same, in a time that tells nothing of where they differ."""
    return hmac.compare_digest(text.encode(errors="replace"), other.encode(errors="replace"))


def _text(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()
