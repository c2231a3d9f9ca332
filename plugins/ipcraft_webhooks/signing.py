"""Signatures: how a receiver knows that a body comes from us, whole and just now.

Two schemes go out with each delivery, from one secret, ``whsec_`` and 64 hex digits:

- ``X-Webhook-Signature: t=<unix>,v1=<hex>``: HMAC-SHA256 over ``{t}.{body}``. The key is the whole
  secret as it is, with its prefix. It is the scheme of Stripe's webhooks.
- ``webhook-id``, ``webhook-timestamp``, ``webhook-signature: v1,<base64>``: HMAC-SHA256 over
  ``{id}.{timestamp}.{body}``. The key is what the 64 characters behind the prefix mean as base64,
  48 bytes; so the public libraries verify with the secret as it is handed out.
  Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

While two secrets are in force both sign, the newer first.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Sequence

PREFIX = "whsec_"
"""What every secret begins with."""

_RANDOM_BYTES = 32


def new_secret() -> str:
    """Make a secret of 256 random bits."""
    return PREFIX + secrets.token_hex(_RANDOM_BYTES)


def signed_headers(
    body: bytes, *, message_id: str, timestamp: int, secrets: Sequence[str]
) -> dict[str, str]:
    """Give the headers that sign a body with each of the secrets."""
    return {
        "X-Webhook-Signature": timed_signature(body, timestamp=timestamp, secrets=secrets),
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": standard_signature(
            body, message_id=message_id, timestamp=timestamp, secrets=secrets
        ),
    }


def timed_signature(body: bytes, *, timestamp: int, secrets: Sequence[str]) -> str:
    """Give ``t=<unix>,v1=<hex>``, with one ``v1`` for each secret."""
    signed = b"%d." % timestamp + body
    digests = [hmac.digest(secret.encode(), signed, "sha256").hex() for secret in secrets]
    return ",".join([f"t={timestamp}", *(f"v1={digest}" for digest in digests)])


def standard_signature(
    body: bytes, *, message_id: str, timestamp: int, secrets: Sequence[str]
) -> str:
    """Give ``v1,<base64>`` of the Standard Webhooks, one for each secret, blanks between."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    digests = [hmac.digest(_standard_key(secret), signed, "sha256") for secret in secrets]
    return " ".join(f"v1,{b64encode(digest).decode()}" for digest in digests)


def _standard_key(secret: str) -> bytes:
    return b64decode(secret.removeprefix(PREFIX), validate=True)
