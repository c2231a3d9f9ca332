"""A clock that tests set."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Clock:
    """Be a time in seconds since the epoch that stands still until it is told to go on.

    >>> clock = Clock(1_700_000_000)
    >>> clock.advance(hours=1)
    >>> clock()
    1700003600
    """

    time: float

    def __call__(self) -> float:
        """Tell the time."""
        return self.time

    def advance(self, *, hours: float = 0, seconds: float = 0) -> None:
        """Let time pass."""
        self.time += hours * 3600 + seconds
