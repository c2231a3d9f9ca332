"""Clients that write all the time, and remember what was acknowledged."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from threading import Condition, Event, Thread
from types import TracebackType
from typing import Any, Self

import requests

from ipcraft.testing.serving import Served

_PATIENCE = 30.0
_PAUSE = 0.01


class Load:
    """Take one next address after the other, with several clients at once."""

    def __init__(self, server: Served, key: str, subnet_id: str, *, clients: int = 4) -> None:
        self._url = f"{server.url}/api/v1/subnets/{subnet_id}/first-free"
        self._headers = {"Authorization": f"Bearer {key}"}
        self._stopping = Event()
        self._changed = Condition()
        self.acknowledged: list[str] = []
        """The addresses the server said it had assigned."""
        self.refusals: Counter[int] = Counter()
        """How often it answered something else, by status."""
        self.errors: list[dict[str, Any]] = []
        """The bodies of those answers."""
        self._threads = [Thread(target=self._write) for _ in range(clients)]

    def wait_for_success(self, *, times: int = 1) -> float:
        """Wait until so many further addresses are assigned; give the seconds it took."""
        started = time.monotonic()
        wanted = len(self.acknowledged) + times
        self._wait(lambda: len(self.acknowledged) >= wanted)
        return time.monotonic() - started

    def wait_for_refusal(self, status: int) -> None:
        """Wait until one more request is answered with the status."""
        wanted = self.refusals[status] + 1
        self._wait(lambda: self.refusals[status] >= wanted)

    def _wait(self, happened: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(happened, _PATIENCE), (self.refusals, self.errors[-1:])

    def _write(self) -> None:
        session = requests.Session()
        while not self._stopping.is_set():
            try:
                answer = session.post(self._url, headers=self._headers, json={}, timeout=30)
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
                # No answer, or one that was cut: nothing was acknowledged, and nobody knows
                # whether it was done.
                self._stopping.wait(_PAUSE)
                continue
            with self._changed:
                if answer.status_code == requests.codes.created:
                    self.acknowledged.append(answer.json()["ip"])
                else:
                    self.refusals[answer.status_code] += 1
                    self.errors.append(answer.json())
                self._changed.notify_all()
        session.close()

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(_PATIENCE)
