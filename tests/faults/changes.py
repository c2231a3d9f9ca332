"""Clients that make changes, some of them in vain, until as many events as wanted are committed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any, Self

import requests

from ipcraft.testing.serving import Org, Served

_AT_ONCE = 10
_HOSTS = 200
_PAUSE = 0.05


class Changes:
    """Add addresses, ten in a request, with several clients; each fifth request is rolled back.

    Whether a request without an answer was committed only the database knows.
    """

    def __init__(self, server: Served, org: Org, *, wanted: int, clients: int = 3) -> None:
        self._url = server.url
        self._headers = {"Authorization": f"Bearer {org.key}"}
        answer = org.post("/api/v1/subnets", json={"network": "10.0.0.0/8"})
        self._path = f"{server.url}/api/v1/subnets/{answer.json()['id']}/addresses"
        self._numbers = count()
        self._lock = Lock()
        self._left = wanted
        self.refused = 0
        """Requests that were refused, and whose changes were rolled back."""
        self.done = Event()
        self._stopping = Event()
        self._threads = [Thread(target=self._write) for _ in range(clients)]

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
            thread.join()

    def _write(self) -> None:
        session = requests.Session()
        for body, good in self._bodies():
            try:
                answer = session.post(self._path, headers=self._headers, json=body, timeout=30)
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
                self._stopping.wait(_PAUSE)
                continue
            self._note(answer.status_code, good=good)

    def _bodies(self) -> Iterator[tuple[list[dict[str, Any]], bool]]:
        while not self._stopping.is_set() and not self.done.is_set():
            with self._lock:
                number = next(self._numbers)
            high, low = divmod(number, _HOSTS // _AT_ONCE)
            block = [
                {"ip": f"10.{high // 256}.{high % 256}.{1 + low * _AT_ONCE + host}"}
                for host in range(_AT_ONCE)
            ]
            good = number % 5 != 4
            yield (block if good else [*block, block[0]]), good

    def _note(self, status: int, *, good: bool) -> None:
        with self._lock:
            if status == 201:
                assert good, "a list with a duplicate was taken"
                self._left -= _AT_ONCE
                if self._left <= 0:
                    self.done.set()
            elif status == 400:
                self.refused += 1
            else:
                assert status == 503, status
