"""Gauges: numbers that are read when somebody asks for them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from ipcraft.errors import RequestError
from ipcraft.metrics.counting import PREFIX

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

PATIENCE = 4.0
"""Seconds that the page waits for gauges: less than a scraper waits for the page."""

SAMPLED_EVERY = 5.0
"""Seconds after which each process's own gauges are read again."""

Figures = dict[tuple[str, ...], float]
"""A number for each set of values of the labels."""

Values = float | Mapping[tuple[str, ...], float]

_log = structlog.get_logger("ipcraft.metrics")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """Name a number, or one for each set of values of the `labels`, and say how to `read` it.

    `read` is called when somebody asks for the metrics, in a thread of its own; what it raises is
    logged, and the number is left out. It gives a number, or a mapping from the labels' values.
    The name gets ``ipcraft_`` put before.

    One that is `per_process` is about the process, not about what all of them share: it is read
    every few seconds in each, and the page has the sum. It must be quick and ask no server.

    >>> Gauge(name="naming_cached", description="Names at hand.", read=lambda: 3.0)
    """

    name: str
    description: str
    read: Callable[[], Values]
    labels: Sequence[str] = ()
    per_process: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """Hold what was read of one gauge."""

    gauge: Gauge
    values: Mapping[tuple[str, ...], float]


class Readings:
    """Read shared gauges for whoever asks, in one thread at a time, however many ask.

    A database that does not answer holds up that thread and no request: who has waited for long
    enough gets what there is.
    """

    def __init__(self, gauges: Sequence[Gauge]) -> None:
        self._gauges = gauges
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._found: list[Reading] = []

    def read(self, patience: float = PATIENCE) -> tuple[list[Reading], int]:
        """Read the gauges; give what was found, and the number of those that were not read."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._found = []
                self._thread = threading.Thread(
                    target=self._work, args=(self._found,), name="metrics", daemon=True
                )
                self._thread.start()
            thread, found = self._thread, self._found
        thread.join(patience)
        read = list(found)
        return read, len(self._gauges) - len(read)

    def _work(self, found: list[Reading]) -> None:
        for gauge in self._gauges:
            reading = _reading(gauge)
            if reading is not None:
                found.append(reading)


class Samples:
    """Read this process's own gauges every few seconds, for the process that is asked."""

    def __init__(self, gauges: Sequence[Gauge], registry: CollectorRegistry) -> None:
        import prometheus_client

        self._families = [
            (
                gauge,
                prometheus_client.Gauge(
                    gauge.name,
                    gauge.description,
                    gauge.labels,
                    namespace=PREFIX,
                    registry=registry,
                    multiprocess_mode="livesum",
                ),
            )
            for gauge in gauges
        ]
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._work, name="metrics-samples", daemon=True)

    def begin(self) -> None:
        """Read from now on."""
        self.read()
        if self._families:
            self._thread.start()

    def end(self) -> None:
        """Read no more."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()

    def read(self) -> None:
        """Read now."""
        for gauge, family in self._families:
            reading = _reading(gauge)
            for values, number in reading.values.items() if reading else ():
                (family.labels(*values) if values else family).set(number)

    def _work(self) -> None:
        while not self._ending.wait(SAMPLED_EVERY):
            self.read()


def _reading(gauge: Gauge) -> Reading | None:
    try:
        values = gauge.read()
    except RequestError as error:
        _log.warning("a gauge cannot be read now", gauge=gauge.name, reason=error.message)
        return None
    except Exception:  # noqa: BLE001 - one gauge's failure is its own
        _log.exception("a gauge failed", gauge=gauge.name)
        return None
    return Reading(gauge, values if isinstance(values, Mapping) else {(): float(values)})
