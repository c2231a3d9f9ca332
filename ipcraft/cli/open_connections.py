"""How many connections each worker of a server has open, in memory that all of them see."""

from __future__ import annotations

from mmap import mmap

_MOST_WORKERS = 256
_BYTES = 4


class OpenConnections:
    """Hold a number for each worker; made by the process that forks them.

    A worker is known by a number that no other one has had in the last 256.
    """

    def __init__(self) -> None:
        self._numbers = memoryview(mmap(-1, _MOST_WORKERS * _BYTES)).cast("i")
        """One more than what is open; 0 where there is no worker."""

    def note(self, worker: int, number: int) -> None:
        """Say how many connections a worker has open."""
        self._numbers[worker % _MOST_WORKERS] = number + 1

    def forget(self, worker: int) -> None:
        """Say that a worker is no more."""
        self._numbers[worker % _MOST_WORKERS] = 0

    def least(self) -> int:
        """Give how many the worker with the fewest has; 0 where there is none."""
        return min((number for number in self._numbers if number), default=1) - 1
