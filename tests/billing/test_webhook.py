"""What is posted to the endpoint: only what Stripe has signed, and just now, changes anything."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from random import Random

import orjson
import pytest
from sqlalchemy import func, select

from ipcraft.plugin import Application, Statement
from ipcraft.testing import Client, Clock, Organization
from ipcraft_stripe.tables import events as stripe_events

from .billing import CHECKOUT, WEBHOOK, Billing

MALFORMED = 10_000
TOLERANCE = 300
STORED = Statement(select(func.count()).select_from(stripe_events))


@pytest.fixture
def paid(billing: Billing, organization: Organization) -> Organization:
    """Give an organization that has paid, which Stripe has not told yet."""
    url = organization.client.post(CHECKOUT).json["url"]
    billing.stripe.pay_at(url)
    return organization


def stored(app: Application) -> int:
    """Count the events that were written down."""
    with app.storage.read_system() as tx:
        return int(tx.value(STORED))


def header(secret: str, stamp: object, body: bytes) -> str:
    """Sign a body for any time."""
    digest = hmac.digest(secret.encode(), f"{stamp}.".encode() + body, "sha256").hex()
    return f"t={stamp},v1={digest}"


Posted = tuple[bytes, Mapping[str, str]]
Spoil = Callable[[Random, bytes, str, float], Posted]
"""Make something of a body, the secret and the time that is no event of Stripe's now."""


def _signed(body: bytes, text: str) -> Posted:
    return body, {"Stripe-Signature": text}


def no_header(chance: Random, body: bytes, secret: str, now: float) -> Posted:
    """Leave the signature out."""
    return body, {}


def bytes_for_header(chance: Random, body: bytes, secret: str, now: float) -> Posted:
    """Give any bytes as the signature, as they come through WSGI: in Latin-1."""
    text = bytes(chance.randrange(1, 256) for _ in range(chance.randrange(1, 200)))
    clean = text.replace(b"\n", b"").replace(b"\r", b"").strip() or b"x"
    return _signed(body, clean.decode("latin-1"))


def garbled_header(chance: Random, body: bytes, secret: str, now: float) -> Posted:
    """Change a character of a good signature."""
    good = header(secret, int(now), body)
    place = chance.randrange(len(good))
    other = chance.choice([each for each in "0af,=t v1é\xff-+_" if each != good[place]])
    return _signed(body, good[:place] + other + good[place + 1 :])


def odd_time(chance: Random, body: bytes, secret: str, now: float) -> Posted:
    """Sign for a time that some parsers take: signs, blanks, underscores, other digits."""
    stamp = int(now)
    stamps = [f"+{stamp}", f" {stamp}", f"{stamp}.0", f"{stamp}_0", hex(stamp), "1e9", "", "nan"]
    stamps += [f"-{stamp}", "9" * 400, "".join(chr(0xB2) for _ in range(9))]
    return _signed(body, header(secret, chance.choice(stamps), body))


def wrong_time(chance: Random, body: bytes, secret: str, now: float) -> Posted:
    """Sign for a time that is past, or yet to come."""
    by = chance.choice([-1, 1]) * chance.randrange(TOLERANCE + 1, 10**9)
    return _signed(body, header(secret, max(int(now) + by, 0), body))


def two_times(chance: Random, body: bytes, secret: str, now: float) -> Posted:
    """Name two times."""
    return _signed(body, f"t={int(now)},{header(secret, int(now), body)}")


def other_secret(chance: Random, body: bytes, secret: str, now: float) -> Posted:
    """Sign with another secret, or with another scheme."""
    if chance.random() < 0.5:
        return _signed(body, header(f"{secret}x", int(now), body))
    return _signed(body, header(secret, int(now), body).replace("v1=", "v0="))


def other_body(chance: Random, body: bytes, secret: str, now: float) -> Posted:
    """Change a byte of what was signed."""
    place = chance.randrange(len(body))
    changed = body[:place] + bytes([body[place] ^ (1 << chance.randrange(8))]) + body[place + 1 :]
    return _signed(changed, header(secret, int(now), body))


def no_event(chance: Random, body: bytes, secret: str, now: float) -> Posted:
    """Sign well what is no event: no JSON, no UTF-8, other JSON, an event with a part missing."""
    event = orjson.loads(body)
    whole = chance.choice(["object", "id", "type", "created", "data"])
    value: object = chance.choice([None, -1, 1.5, True, [], {}, "", "x" * 300, {"object": []}])
    parts = [
        b"",
        b"\xff\xfe" + body,
        body[: chance.randrange(len(body))],
        body + b"}",
        b'{"id": NaN}',
        b'{"object": "event", "object": "event"}',
        b"[" * 5_000,
        chance.randbytes(50),
        orjson.dumps([event]),
        orjson.dumps(chance.choice([None, 5, "event", [], {}])),
        orjson.dumps({name: each for name, each in event.items() if name != whole}),
        orjson.dumps({**event, whole: value if whole != "type" else 5}),
        orjson.dumps({**event, "data": {"object": {**event["data"]["object"], "id": 5}}}),
        orjson.dumps({**event, "data": {"object": {**event["data"]["object"], "customer": 5}}}),
    ]
    bad = chance.choice(parts)
    return _signed(bad, header(secret, int(now), bad))


SPOILS: tuple[Spoil, ...] = (
    no_header,
    bytes_for_header,
    garbled_header,
    odd_time,
    wrong_time,
    two_times,
    other_secret,
    other_body,
    no_event,
)


def test_malformed_requests_change_nothing(
    application: Application, billing: Billing, paid: Organization, clock: Clock
) -> None:
    """Each of them gets 400, and nothing is written down; the same event well signed counts."""
    post = billing.stripe.post
    chance, client = Random(5), Client(application)
    bodies = [post.sign(each).body for each in post.pending[1:]]
    for number in range(MALFORMED):
        spoil = SPOILS[number % len(SPOILS)]
        body, headers = spoil(chance, chance.choice(bodies), post.secret, clock())
        answer = client.post(WEBHOOK, body=body, headers=dict(headers))
        assert answer.status_code == 400, (spoil.__name__, body, headers, answer.text)
        assert answer.json["code"] in {"bad_signature", "malformed_event", "malformed_json"}
    assert stored(application) == 0
    assert billing.take() == []
    assert billing.plan(paid) == "free"
    billing.tell()
    assert billing.plan(paid) == "pro"


@pytest.mark.parametrize("by", [-TOLERANCE, 0, TOLERANCE])
def test_a_signature_of_about_now_is_good(
    billing: Billing, paid: Organization, clock: Clock, by: int
) -> None:
    """Clocks differ by up to five minutes, either way."""
    event = billing.stripe.post.pending[-1]
    signed = billing.stripe.post.sign(event, at=int(clock()) + by)
    assert billing.hook(signed) == 200


def test_one_of_several_signatures_is_enough(billing: Billing, paid: Organization) -> None:
    """While the secret is being replaced Stripe signs with both."""
    signed = billing.stripe.post.sign(billing.stripe.post.pending[-1])
    stamp, rest = signed.headers["Stripe-Signature"].split(",", 1)
    headers = {"Stripe-Signature": f"{stamp},v1={'0' * 64},{rest}"}
    assert billing.send(signed.body, headers) == 200


def test_a_body_that_is_too_large_is_refused(billing: Billing) -> None:
    """Nobody has to read more than a mebibyte to find that it is not signed."""
    assert billing.send(b" " * (1 << 20), {}) == 400
    assert billing.send(b" " * ((1 << 20) + 1), {}) == 413


def test_what_nobody_acts_upon_is_thanked_for(
    application: Application, billing: Billing, organization: Organization
) -> None:
    """Other types, and customers of others with the same account, are forgotten."""
    post = billing.stripe.post
    billing.stripe.ledger.create_customer({"name": "Somebody else's"})
    assert post.round(billing.hook) == [200]
    customer = billing.stripe.ledger.create_customer({})["id"]
    billing.stripe.ledger.delete_customer(customer)
    assert post.deliver(billing.hook) == [200, 200]
    assert stored(application) == 0


def test_an_event_that_comes_twice_counts_once(
    application: Application, billing: Billing, paid: Organization
) -> None:
    """Also when the first is not acted upon yet, and when it was long ago."""
    post = billing.stripe.post
    signed = [post.sign(each) for each in post.pending[1:]]
    for each in (*signed, *signed):
        assert billing.hook(each) == 200
    assert stored(application) == len(signed)
    assert len(billing.take()) == len(signed)


def test_events_are_forgotten_when_nobody_sends_them_again(
    application: Application, billing: Billing, paid: Organization, clock: Clock
) -> None:
    """After 60 days."""
    billing.tell()
    clock.advance(hours=60 * 24)
    application.jobs["stripe.tidy"].run({})
    assert stored(application) == 3
    clock.advance(seconds=1)
    application.jobs["stripe.tidy"].run({})
    assert stored(application) == 0
