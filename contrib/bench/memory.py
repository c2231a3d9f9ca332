"""Resident memory of the workers while one of them streams every address of an organization."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil

from bench.api import call, drain
from bench.datasets import LARGE
from bench.figures import Series
from bench.grounds import Grounds, say
from bench.table import Goal, Line

_EVERY = 0.02
_WARMING = 16
_MIB = 1 << 20


def memory(grounds: Grounds) -> list[Line]:
    """Stream the addresses of the large data set and watch the workers grow."""
    inventory = grounds.inventory(LARGE)
    path = f"/api/v1/subnets/{inventory.root}/addresses"
    for _ in range(_WARMING):
        call(inventory.account, f"{path}?limit=1000")
    say("streaming every address")
    seconds: list[float] = []
    size = 0
    with _watched(inventory.site.pid) as watch:
        for _ in range(2):
            started = time.perf_counter()
            size = drain(inventory.account, path)
            seconds.append(time.perf_counter() - started)
    growth = watch.growth / _MIB
    return [
        Line(
            operation="GET all addresses, streamed",
            series=Series.once(*seconds),
            data=f"{inventory.shape.addresses:,} rows",
            clients=1,
            value=growth,
            goals=(Goal("value", "<=", 20, " MiB"),),
            note=f"{size / _MIB:.0f} MiB sent, a worker grew by {growth:.1f} MiB "
            f"from {watch.largest / _MIB:.0f} MiB",
        )
    ]


@dataclass(slots=True)
class _Watch:
    """Sample the resident memory of a process and its descendants."""

    processes: list[psutil.Process]
    first: dict[int, int] = field(default_factory=dict[int, int])
    peak: dict[int, int] = field(default_factory=dict[int, int])

    def sample(self) -> None:
        for process in self.processes:
            try:
                now = process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
            self.first.setdefault(process.pid, now)
            self.peak[process.pid] = max(now, self.peak.get(process.pid, 0))

    @property
    def growth(self) -> int:
        """Give by how many bytes the process that grew most grew."""
        return max((self.peak[pid] - self.first[pid] for pid in self.peak), default=0)

    @property
    def largest(self) -> int:
        """Give the bytes the largest process had at first."""
        return max(self.first.values(), default=0)


@contextmanager
def _watched(pid: int) -> Iterator[_Watch]:
    parent = psutil.Process(pid)
    watch = _Watch([parent, *parent.children(recursive=True)])
    watch.sample()
    done = threading.Event()

    def sample_on() -> None:
        while not done.wait(_EVERY):
            watch.sample()

    thread = threading.Thread(target=sample_on, name="memory-watch", daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        done.set()
        thread.join()
        watch.sample()
