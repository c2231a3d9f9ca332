"""The form of a key: ``ipc_`` and 40 base62 characters, the last 6 a checksum of the others.

The checksum, a CRC-32 as base62 with leading zeros, tells a key from junk without a query,
and lets secret scanners be sure of what they found.
"""

from __future__ import annotations

import re
import secrets
import string
from hashlib import sha256
from zlib import crc32

MARK = "ipc_"
"""What every key begins with."""

PREFIX_LENGTH = 12
"""Characters of a key that are shown after its creation."""

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM_LENGTH = 34
_CHECKSUM_LENGTH = 6
_KEY = re.compile(rf"{MARK}([0-9A-Za-z]{{{_RANDOM_LENGTH}}})([0-9A-Za-z]{{{_CHECKSUM_LENGTH}}})")


def new_key() -> str:
    """Make a key of 202 random bits."""
    random = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_LENGTH))
    return f"{MARK}{random}{_checksum(random)}"


def is_key(text: str) -> bool:
    """Tell whether the text has a key's form and a right checksum."""
    match = _KEY.fullmatch(text)
    return match is not None and _checksum(match[1]) == match[2]


def key_hash(key: str) -> bytes:
    """Give the SHA-256 that is stored in place of the key.

    A key is random enough that a slow hash would only slow down every request.
    """
    return sha256(key.encode()).digest()


def _checksum(random: str) -> str:
    number = crc32(random.encode())
    digits = []
    for _ in range(_CHECKSUM_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
