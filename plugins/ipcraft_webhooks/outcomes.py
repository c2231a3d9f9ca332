"""Outcomes: what became of one attempt to deliver."""

from __future__ import annotations

from dataclasses import dataclass

GONE = 410
"""The status with which a receiver says that it wants no more, ever."""

_OK = range(200, 300)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Say how a receiver answered, or why it did not."""

    at: int
    """When the attempt began, in seconds since the epoch."""
    duration_ms: int
    status: int | None = None
    body: str | None = None
    """The beginning of the answer."""
    error: str | None = None
    """Why there is no answer."""
    wish: float | None = None
    """Seconds the receiver asked us to wait."""

    @property
    def succeeded(self) -> bool:
        """Tell whether the receiver took the event."""
        return self.status in _OK

    @property
    def word(self) -> str:
        """Say it in a word: taken, refused or unreachable."""
        if self.status is None:
            return "unreachable"
        return "taken" if self.succeeded else "refused"

    @property
    def gone(self) -> bool:
        """Tell whether the receiver wants no more."""
        return self.status == GONE
