"""A memory for answers that say how long they hold."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

_LONGEST = 3600.0
"""Seconds for which an answer is believed at most."""
_BYTES = 8 * 1024 * 1024
"""How much is remembered in a process."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """Hold an answer as it is sent, and until when it holds; None: it was only true when asked."""

    data: bytes
    until: float | None = None


class AnswerMemory:
    """Remember answers until their time is up, the least used going first; for many threads."""

    __slots__ = ("_answers", "_clock", "_lock", "_size")

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = Lock()
        self._answers: OrderedDict[bytes, Remembered] = OrderedDict()
        self._size = 0

    def get(self, key: bytes) -> Remembered | None:
        """Give the answer to a question, if it is known still."""
        with self._lock:
            found = self._answers.get(key)
            if found is None:
                return None
            if found.until is None or not self._clock() < found.until <= self._clock() + _LONGEST:
                self._forget(key)
                return None
            self._answers.move_to_end(key)
            return found

    def put(self, key: bytes, data: bytes, *, ttl: float | None) -> Remembered:
        """Remember an answer for its time, an hour at most; give it with the end of that time."""
        if ttl is None or ttl <= 0:
            return Remembered(data)
        found = Remembered(data, self._clock() + min(ttl, _LONGEST))
        with self._lock:
            self._forget(key)
            self._answers[key] = found
            self._size += len(key) + len(data)
            while self._size > _BYTES:
                self._forget(next(iter(self._answers)))
        return found

    def _forget(self, key: bytes) -> None:
        found = self._answers.pop(key, None)
        if found is not None:
            self._size -= len(key) + len(found.data)
