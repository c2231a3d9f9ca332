"""What the issuer told, kept for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Generic, TypeVar

from ipcraft_oidc.questions import Deadline, NoAnswer

T = TypeVar("T")

LIFETIME = 600
"""Seconds after which it is asked for again."""

PAUSE = 10
"""Seconds in which the issuer is asked once at most, whatever it answers and whoever asks."""


class Memory(Generic[T]):
    """Keep one thing the issuer tells. `read` asks for it, and raises `NoAnswer`.

    Of all threads one asks, the others wait for it, no longer than their own deadline.
    """

    __slots__ = ("_asked_at", "_clock", "_lock", "_read", "_value")

    def __init__(self, read: Callable[[Deadline], T], *, clock: Callable[[], float]) -> None:
        self._read = read
        self._clock = clock
        self._lock = Lock()
        self._asked_at = float("-inf")
        self._value: T | None = None

    def get(self, deadline: Deadline, *, better_than: T | None = None) -> T:
        """Give what the issuer told last, after asking anew where that is too old.

        It is asked anew also where nothing newer than `better_than` is known. Raises `NoAnswer`.
        """
        with self._held(deadline):
            age = self._clock() - self._asked_at
            if not 0 <= age < LIFETIME:
                self._value = None
            known = self._value is not None and self._value is not better_than
            if not known and not 0 <= age < PAUSE:
                self._asked_at = self._clock()
                self._value = self._read(deadline)
            if self._value is None:
                raise NoAnswer("it did not answer a moment ago")
            return self._value

    @contextmanager
    def _held(self, deadline: Deadline) -> Iterator[None]:
        if not self._lock.acquire(timeout=deadline.remaining()):
            raise NoAnswer("it did not answer in time")
        try:
            yield
        finally:
            self._lock.release()
