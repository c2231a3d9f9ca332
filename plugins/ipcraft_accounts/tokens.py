"""Tokens: 256 random bits that prove something to whoever stored their hash."""

from __future__ import annotations

import re
import secrets
from hashlib import sha256

_BYTES = 32
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def new_token() -> str:
    """Make a token of 43 characters that may stand in a URL and in a cookie."""
    return secrets.token_urlsafe(_BYTES)


def is_token(text: str) -> bool:
    """Tell whether the text has a token's form."""
    return _TOKEN.fullmatch(text) is not None


def token_hash(token: str) -> bytes:
    """Give the SHA-256 that is stored in place of the token.

    A token is random enough that a slow hash would only slow down every request.
    """
    return sha256(token.encode()).digest()
