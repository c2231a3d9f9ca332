"""Claims: credentials recognized from memory, and proven by the first query of their request.

PERF: asking the database who the sender is costs a round trip of its own, as much as the request
itself. What it answered the last time is almost always still true: so the question goes out
together with the request's first query, and nothing is done or answered unless the answer is yes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ipcraft.contributions import Identity
    from ipcraft.data.statements import Statement


class Claim:
    """Ask whether a credential still proves what it proved before.

    `statement` with `parameters` is the question, across organizations. `recognize` makes the
    identity of its first row, None for no row, and raises `ipcraft.errors.Unauthenticated` where
    there is none any more.
    """

    __slots__ = ("_recognize", "allow", "confirmed", "parameters", "settled", "statement")

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

    def settle(self, found: Any) -> None:
        """Take the answer. Raises what makes the request one that must not be served."""
        self.settled = True
        identity = self._recognize(found)
        if self.allow is not None:
            self.allow(identity)
        self.confirmed = identity
