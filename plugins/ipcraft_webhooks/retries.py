"""The retry law: when a delivery that failed is tried again, and when no more.

After the first failure it is tried again after the schedule's first pause, and so on; after the
last pause there is one more attempt. Each pause varies by a tenth, so that what failed together
does not come back together. A receiver's ``Retry-After`` makes a pause longer, never shorter.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

SCHEDULE = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds between the ten attempts: 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h."""

JITTER = 0.1
"""The share of a pause by which it is shorter or longer."""

LONGEST_WISH = 86_400
"""Seconds that a receiver can have us wait."""


def _any_share() -> float:
    return random.uniform(-1.0, 1.0)


@dataclass(frozen=True, slots=True)
class RetryLaw:
    """Say how long to wait after each failure.

    `share` gives a number from -1 to 1: how much of the jitter a pause gets.
    """

    schedule: Sequence[float] = SCHEDULE
    share: Callable[[], float] = _any_share

    def pause(self, attempt: int, *, wish: float | None = None) -> float | None:
        """Give the seconds to wait after this attempt, the first being 1; None after the last.

        `wish` is what the receiver asked for, in seconds.
        """
        if attempt > len(self.schedule):
            return None
        pause = self.schedule[attempt - 1] * (1 + JITTER * self.share())
        return max(pause, min(wish or 0.0, LONGEST_WISH))


def wished_pause(header: str | None, *, now: float) -> float | None:
    """Read a ``Retry-After`` header: seconds from now, None where it says nothing of use.

    Source: RFC 9110, section 10.2.3.
    """
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text[:18]), LONGEST_WISH))
    try:
        at = parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None
    return min(max(at - now, 0.0), float(LONGEST_WISH))
