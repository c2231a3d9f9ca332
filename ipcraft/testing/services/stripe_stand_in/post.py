"""The post: events signed as Stripe signs them, and what may happen to them on the way.

Source: https://docs.stripe.com/webhooks#verify-manually
"""

from __future__ import annotations

import hmac
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

import orjson

from ipcraft.testing.services.stripe_stand_in.ledger import Ledger, Thing

_PATIENCE = 30.0
_MOST_ROUNDS = 1_000


@dataclass(frozen=True, slots=True)
class Signed:
    """Hold an event as it is posted."""

    body: bytes
    headers: Mapping[str, str]


@dataclass(slots=True)
class Mischief:
    """Say what happens on the way; shares are of 1. What is dropped is sent again later."""

    drop: float = 0.0
    """Of what is sent, so much does not arrive."""
    double: float = 0.0
    """Of what is sent, so much arrives twice."""
    delay: float = 0.0
    """Of what could be sent in a round, so much waits for the next one."""
    reorder: bool = False
    random: Random = field(default_factory=Random)


Send = Callable[[Signed], int]
"""Post an event and give the status that is answered."""


class Post:
    """Take a ledger's events to an endpoint, each until it is taken.

    `secret` signs; `url` is where they go, unless a test posts by itself.
    """

    def __init__(self, ledger: Ledger, *, secret: str, clock: Callable[[], float]) -> None:
        self.secret = secret
        self.url: str | None = None
        self.mischief = Mischief()
        self._ledger = ledger
        self._clock = clock
        self._read = 0
        self._pending: list[Thing] = []

    @property
    def pending(self) -> list[Thing]:
        """Give the events that nobody has taken yet."""
        self._pending += self._ledger.events[self._read :]
        self._read = len(self._ledger.events)
        return self._pending

    def sign(self, event: Thing, *, secret: str | None = None, at: int | None = None) -> Signed:
        """Sign an event."""
        return self.sign_body(orjson.dumps(event), secret=secret, at=at)

    def sign_body(self, body: bytes, *, secret: str | None = None, at: int | None = None) -> Signed:
        """Sign any bytes; with another secret, or for another time, if they are given."""
        stamp = int(self._clock()) if at is None else at
        key = (self.secret if secret is None else secret).encode()
        digest = hmac.digest(key, f"{stamp}.".encode() + body, "sha256").hex()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            # Events of test mode carry a signature of another scheme, which is to be ignored.
            "Stripe-Signature": f"t={stamp},v1={digest},v0={'0' * 64}",
        }
        return Signed(body, headers)

    def round(self, send: Send | None = None) -> list[int]:
        """Send what waits, once, as the mischief has it; give the statuses that were answered."""
        send = self._send if send is None else send
        chance = self.mischief.random
        going = [each for each in self.pending if chance.random() >= self.mischief.delay]
        if self.mischief.reorder:
            chance.shuffle(going)
        statuses: list[int] = []
        for event in going:
            if chance.random() < self.mischief.drop:
                continue
            twice = chance.random() < self.mischief.double
            statuses += [send(self.sign(event)) for _ in range(1 + twice)]
            if 200 <= statuses[-1] < 300:
                self._pending.remove(event)
        return statuses

    def deliver(self, send: Send | None = None) -> list[int]:
        """Send until everything is taken; give the statuses that were answered."""
        statuses: list[int] = []
        for _ in range(_MOST_ROUNDS):
            if not self.pending:
                return statuses
            statuses += self.round(send)
        raise AssertionError(f"{len(self.pending)} events are not taken: {statuses[-5:]}")

    def lose(self) -> list[Thing]:
        """Forget what waits, as if Stripe had given it up; give it."""
        lost, self._pending = self.pending, []
        return lost

    def _send(self, signed: Signed) -> int:
        assert self.url is not None, "where do events go?"
        request = urllib.request.Request(self.url, data=signed.body, headers=dict(signed.headers))
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
