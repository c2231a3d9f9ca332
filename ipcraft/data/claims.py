"""Claims: credentials recognized from memory, and proven by the first query of their request.

PERF: asking the database who the sender is costs a round trip of its own, as much as the request
itself. What it answered the last time is almost always still true: so the question goes out
together with the request's first query, and nothing is done or answered unless the answer is yes.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from ipcraft.app import Application
    from ipcraft.contributions import Identity
    from ipcraft.data.statements import Statement


H = TypeVar("H")

_MOST_REMEMBERED = 10_000


class Claim:
    """Ask whether a credential still proves what it proved before.

    `statement` with `parameters` is the question, across organizations. `recognize` makes the
    identity of its first row, None for no row, and raises `ipcraft.errors.Unauthenticated` where
    there is none any more.
    """

    __slots__ = (
        "_recognize",
        "allow",
        "allowed",
        "confirmed",
        "parameters",
        "settled",
        "statement",
    )

    def __init__(
        self,
        statement: Statement[Any],
        *,
        parameters: Mapping[str, Any],
        recognize: Callable[[Any], Identity],
    ) -> None:
        self.statement = statement
        self.parameters = parameters
        self._recognize = recognize
        self.settled = False
        """Whether it was asked, whatever the answer."""
        self.confirmed: Identity | None = None
        """The identity as it is by now, if there is one and it may do what the request does."""
        self.allow: Callable[[Identity], object] | None = None
        """Raise when the identity as it is by now may not do what the request does."""
        self.allowed: Identity | None = None
        """The identity of which that is known already: it is asked only for another one."""

    @property
    def question(self) -> Hashable:
        """Give what is the same for claims that ask the same."""
        return self.statement, *self.parameters.values()

    def settle(self, found: Any) -> None:
        """Take the answer. Raises what makes the request one that must not be served."""
        self.settled = True
        identity = self._recognize(found)
        if self.allow is not None and identity != self.allowed:
            self.allow(identity)
        self.confirmed = identity

    def reopen(self) -> None:
        """Have it asked again: nothing came of what it was asked for."""
        self.settled = False
        self.confirmed = None


def joint(claims: Iterable[Claim | None]) -> Claim | None:
    """Make one claim of those that ask the same: it is asked once, and settles all of them.

    None where nothing is left to be asked.
    """
    unsettled = [claim for claim in claims if claim and not claim.settled]
    if not unsettled:
        return None

    def recognize(found: Any) -> Identity:
        for claim in unsettled:
            claim.settle(found)
        confirmed = unsettled[0].confirmed
        assert confirmed is not None, "a claim that is settled raises or has an identity"
        return confirmed

    first = unsettled[0]
    return Claim(first.statement, parameters=first.parameters, recognize=recognize)


def changed_identity(identity: Identity) -> Identity | None:
    """Give the identity as it is by now, if it has turned out to be another than it was."""
    confirmed = identity.claim.confirmed if identity.claim else None
    return confirmed if confirmed is not None and confirmed != identity else None


class Recognition(Generic[H]):
    """Recognize credentials of one kind by their hash, with one question for each request.

    `statement` asks for the holder of the hash that is its parameter `parameter`. `identify` makes
    an identity of the holder, None where there is none, or raises
    `ipcraft.errors.Unauthenticated`. A hash that was seen before gives a claim.
    """

    def __init__(
        self,
        app: Application,
        statement: Statement[H],
        *,
        parameter: str,
        identify: Callable[[H | None], Identity],
    ) -> None:
        self._app = app
        self._statement = statement
        self._parameter = parameter
        self._identify = identify
        self._remembered: dict[bytes, Identity] = {}

    def knows(self, hashed: bytes) -> bool:
        """Tell whether a credential of this hash was recognized before."""
        return hashed in self._remembered

    def recognize(self, hashed: bytes) -> Identity:
        """Give the identity that a credential of this hash proves. Raises what `identify` does."""
        parameters = {self._parameter: hashed}
        remembered = self._remembered.get(hashed)
        if remembered is None:
            return self._learn(hashed, self._app.storage.look_up(self._statement, **parameters))
        recognize = partial(self._learn, hashed)
        claim = Claim(self._statement, parameters=parameters, recognize=recognize)
        return replace(remembered, claim=claim)

    def _learn(self, hashed: bytes, holder: H | None) -> Identity:
        self._remembered.pop(hashed, None)
        identity = self._identify(holder)
        if len(self._remembered) >= _MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[hashed] = identity
        return identity
