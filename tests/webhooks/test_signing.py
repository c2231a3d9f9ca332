"""Signatures as the libraries verify them that receivers use."""

from __future__ import annotations

import re
import time
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

import orjson
import pytest
import standardwebhooks
import stripe
import svix

from ipcraft_webhooks.signing import new_secret, signed_headers

PAYLOADS = 10_000


@dataclass(frozen=True, slots=True)
class Message:
    """Be what a receiver gets, and the secret that it has."""

    secret: str
    body: bytes
    headers: dict[str, str]

    @property
    def standard_headers(self) -> dict[str, str]:
        """Give the headers of the Standard Webhooks, altered ones too."""
        return {name: value for name, value in self.headers.items() if name.startswith("webhook-")}


def text(random: Random) -> str:
    """Give a text with characters of every kind."""
    return "".join(
        chr(random.choice((65, 0x2E, 0x22, 0xE9, 0x4E2D, 0x1F600, 0x0A))) for _ in range(20)
    )


def messages(random: Random, number: int) -> Iterator[Message]:
    """Make messages of all kinds, signed now."""
    now = int(time.time())
    for count in range(number):
        body = orjson.dumps(
            {"event": "subnet.created", "data": {"label": text(random), "n": count}}
        )
        secret = new_secret()
        headers = signed_headers(
            body, message_id=f"evt_{count}", timestamp=now - random.randrange(200), secrets=[secret]
        )
        yield Message(secret, body, headers)


def altered(message: Message, random: Random) -> Message:
    """Change one thing that the signatures cover, or the secret."""
    match random.randrange(4):
        case 0:
            place = random.randrange(len(message.body))
            flipped = bytes([message.body[place] ^ (1 << random.randrange(7))])
            return replace(message, body=message.body[:place] + flipped + message.body[place + 1 :])
        case 1:
            return replace(message, body=message.body + b" ")
        case 2:
            return replace(message, secret=new_secret())
        case _:
            at = int(message.headers["webhook-timestamp"]) + 1
            timed = re.sub(r"^t=\d+", f"t={at}", message.headers["X-Webhook-Signature"])
            headers = {"X-Webhook-Signature": timed, "webhook-timestamp": str(at)}
            return replace(message, headers=message.headers | headers)


def verified_by(message: Message) -> set[str]:
    """Name the libraries that take the message for genuine."""
    found = set()
    try:
        stripe.WebhookSignature.verify_header(
            message.body.decode("utf-8", "surrogateescape"),
            message.headers["X-Webhook-Signature"],
            message.secret,
            tolerance=300,
        )
        found.add("stripe")
    except (stripe.SignatureVerificationError, UnicodeEncodeError):
        pass
    # The libraries also read the JSON that they have verified, and altered bodies are not always.
    body = message.body.decode("latin-1" if not _is_text(message.body) else "utf-8")
    try:
        standardwebhooks.Webhook(message.secret).verify(body, message.standard_headers)
        found.add("standardwebhooks")
    except standardwebhooks.WebhookVerificationError:
        pass
    try:
        svix.Webhook(message.secret).verify(body, message.standard_headers)
        found.add("svix")
    except svix.WebhookVerificationError:
        pass
    return found


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_a_secret_has_the_documented_form() -> None:
    """A secret is whsec_ and 64 hex digits, and no two are alike."""
    made = {new_secret() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch("whsec_[0-9a-f]{64}", secret) for secret in made)


def test_ten_thousand_payloads_verify() -> None:
    """What we sign verifies with the Stripe SDK, standardwebhooks and svix, by the same secret."""
    everybody = {"stripe", "standardwebhooks", "svix"}
    for message in messages(Random(4), PAYLOADS):
        assert verified_by(message) == everybody


def test_ten_thousand_altered_payloads_do_not() -> None:
    """Another body, time or secret verifies with none of them."""
    random = Random(44)
    for message in messages(random, PAYLOADS):
        assert verified_by(altered(message, random)) == set()


def test_the_signed_header_is_as_documented() -> None:
    """The values are those that openssl computes."""
    headers = signed_headers(
        b'{"event":"ping"}',
        message_id="evt_1",
        timestamp=1_700_000_000,
        secrets=["whsec_" + "0a" * 32],
    )
    assert headers == {
        "X-Webhook-Signature": (
            "t=1700000000,v1=2e895c6beb42fd40c8ae69b1731865a2d38e856a16601e194ad8f2c2a17b1074"
        ),
        "webhook-id": "evt_1",
        "webhook-timestamp": "1700000000",
        "webhook-signature": "v1,mTwy/z3O+WXhHdZRnkCa2MudvxaOwiAb3Lf4W4+faEA=",
    }


def test_while_secrets_overlap_both_verify() -> None:
    """With two secrets there are two signatures, and a receiver that has either is content."""
    old, new = new_secret(), new_secret()
    body = b'{"event":"ping"}'
    headers = signed_headers(
        body, message_id="evt_1", timestamp=int(time.time()), secrets=[new, old]
    )
    assert headers["X-Webhook-Signature"].count("v1=") == 2
    assert headers["webhook-signature"].count("v1,") == 2
    everybody = {"stripe", "standardwebhooks", "svix"}
    assert verified_by(Message(new, body, headers)) == everybody
    assert verified_by(Message(old, body, headers)) == everybody
    assert verified_by(Message(new_secret(), body, headers)) == set()


@pytest.mark.parametrize("secret", [new_secret() for _ in range(3)])
def test_the_standards_key_is_48_bytes(secret: str) -> None:
    """The 64 digits are taken for base64, as every library of the standard does."""
    assert len(b64decode(secret.removeprefix("whsec_"))) == 48
