"""Deadlines: one moment for all that is waited for."""

from __future__ import annotations

import time

from ipcraft.outbound.failures import Unreachable


class Deadline:
    """Be the moment at which an attempt ends, whatever it is waiting for then."""

    __slots__ = ("_end", "_seconds")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Give the seconds that are left, more than none. Raises `Unreachable` when none are."""
        seconds = self._end - time.monotonic()
        if seconds <= 0:
            raise self.passed()
        return seconds

    def share(self, parts: int) -> float:
        """Give what is left to the next of so many attempts. Raises `Unreachable` likewise."""
        return self.remaining() / parts

    def passed(self) -> Unreachable:
        """Make the error of somebody who waited until now."""
        return Unreachable(f"there is no whole answer within {self._seconds:g} seconds")
