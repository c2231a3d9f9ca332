"""The way to the next address around those that rest."""

from __future__ import annotations

from collections.abc import Iterator

from ipcraft_ipam import FreeSpace
from ipcraft_quarantine import entries


def rested(space: FreeSpace, count: int) -> Iterator[int]:
    """Prefer the lowest address that is not in quarantine.

    Free addresses and those that rest are walked upward together, so the cost grows with the
    number of resting addresses below the one that is found, and with nothing else.
    """
    resting = entries.upward(space.tx, space.vrf_id or "", space.usable)
    next_resting = next(resting, None)
    for span in space.spans():
        for ip in range(span.first, span.last + 1):
            while next_resting is not None and next_resting < ip:
                next_resting = next(resting, None)
            if ip != next_resting:
                yield ip
