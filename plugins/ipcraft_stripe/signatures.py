"""Signatures: whether what comes in Stripe's name comes from Stripe, and now.

The SDK's own check raises TypeError on a header that is not ASCII and UnicodeDecodeError on a body
that is not UTF-8, and takes times that are yet to come. So this is ours.
Source: https://docs.stripe.com/webhooks#verify-manually
"""

from __future__ import annotations

import hmac
import re

from ipcraft.plugin import Invalid

TOLERANCE = 300
"""Seconds by which the signature's time may differ from ours, on either side."""

_LONGEST = 4_096
_TIME = re.compile("[0-9]{1,12}", re.ASCII)
_SIGNATURE = re.compile("[0-9a-f]{64}", re.ASCII)


def check_signature(header: str | None, body: bytes, *, secret: str, now: float) -> None:
    """Raise `Invalid` unless the header has a signature of this body with the secret.

    There may be several: two while the secret is being replaced, and those of other schemes, which
    count for nothing.
    """
    if not header:
        raise _refusal("there is no header Stripe-Signature")
    if len(header) > _LONGEST:
        raise _refusal("the header Stripe-Signature is too long")
    pairs = [part.partition("=") for part in header.split(",")]
    times = [value for name, _, value in pairs if name.strip() == "t"]
    given = [value for name, _, value in pairs if name.strip() == "v1"]
    if len(times) != 1 or not _TIME.fullmatch(times[0]):
        raise _refusal("its time cannot be read")
    expected = hmac.digest(secret.encode(), f"{times[0]}.".encode() + body, "sha256").hex()
    # What is no signature at all is not compared: `compare_digest` takes ASCII only.
    if not any(
        _SIGNATURE.fullmatch(each) and hmac.compare_digest(each, expected) for each in given
    ):
        raise _refusal("no signature in it is of this body and this endpoint's secret")
    if abs(int(times[0]) - now) > TOLERANCE:
        raise _refusal("its time is not now")


def _refusal(reason: str) -> Invalid:
    return Invalid(f"The event is not signed as Stripe's are: {reason}", code="bad_signature")
