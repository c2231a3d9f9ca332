"""Sealing: webhooks' secrets as the database keeps them, encrypted with AES-256-GCM.

A sealed secret is one version byte, a nonce of 12 bytes, the ciphertext and its tag. It belongs to
its webhook: put into another one's row it cannot be opened. The key is derived from the
installation's secret key.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PURPOSE = "webhooks.secrets"
"""What the key is derived for."""

_VERSION = b"\x01"
_NONCE_LENGTH = 12
_HEAD = len(_VERSION) + _NONCE_LENGTH
_MOST_REMEMBERED = 10_000


class SealBroken(Exception):
    """Say that a secret cannot be opened: it was sealed with another secret key."""


class Seal:
    """Seal and open secrets with the key that `key` gives when it is first needed."""

    def __init__(self, key: Callable[[], bytes]) -> None:
        self._key = key
        self._cipher: AESGCM | None = None
        self._opened: dict[tuple[str, bytes], str] = {}

    def close(self, secret: str, *, webhook_id: str) -> bytes:
        """Seal a webhook's secret."""
        nonce = os.urandom(_NONCE_LENGTH)
        return _VERSION + nonce + self._aes().encrypt(nonce, secret.encode(), _owner(webhook_id))

    def open(self, sealed: bytes, *, webhook_id: str) -> str:
        """Give the secret. Raises `SealBroken`.

        PERF: what was opened is remembered, so that a secret is decrypted once and not with each
        delivery; no two seals are alike.
        """
        found = self._opened.get((webhook_id, sealed))
        if found is None:
            found = self._decrypted(sealed, webhook_id)
            if len(self._opened) >= _MOST_REMEMBERED:
                self._opened.clear()
            self._opened[webhook_id, sealed] = found
        return found

    def _decrypted(self, sealed: bytes, webhook_id: str) -> str:
        from cryptography.exceptions import InvalidTag

        version, nonce, ciphertext = sealed[:1], sealed[1:_HEAD], sealed[_HEAD:]
        try:
            if version != _VERSION:
                raise InvalidTag
            return self._aes().decrypt(nonce, ciphertext, _owner(webhook_id)).decode()
        except (InvalidTag, ValueError) as error:  # a ValueError where there is no whole nonce
            raise SealBroken(
                "the webhook's secret was encrypted with another secret key; "
                "restore the key, or rotate the secret"
            ) from error

    def _aes(self) -> AESGCM:
        if self._cipher is None:
            # Imported here: it takes 30 ms, and commands that need no secret should not wait.
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM

            self._cipher = AESGCM(self._key())
        return self._cipher


def _owner(webhook_id: str) -> bytes:
    """Give what is authenticated beside the secret: whose it is."""
    return webhook_id.encode()
