"""Rate limits in memory: exact over all threads and processes of one ``ipcraft serve``."""

from __future__ import annotations

import time
from collections.abc import Callable

from ipcraft.plugin import Allowance, RateLimit
from ipcraft_local.windows import Windows

_shared: Windows | None = None


def share() -> None:
    """Make the memory that this process's limiters and its children's count in.

    ``ipcraft serve`` does so before it forks its workers, so they all count in one place.
    """
    global _shared
    _shared = Windows(shared=True)


class LocalRateLimiter:
    """Count in the memory of this process, or in what it shares since its parent's `share`.

    A window begins with the first request of a key and ends after the limit's seconds; so
    many requests are allowed in each window.
    """

    name = "local"

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._windows = _shared or Windows()

    def take(self, key: str, limit: RateLimit) -> Allowance:
        """Count a request of the key."""
        used, left = self._windows.count(key, clock=self._clock, seconds=limit.seconds)
        return Allowance(
            allowed=used <= limit.requests,
            remaining=max(limit.requests - used, 0),
            seconds=left,
        )
