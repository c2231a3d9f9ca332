"""Counters and histograms: what a process counts and measures as it happens.

PERF: a process that is not asked for its metrics (a command, or a server told not to measure) pays
one comparison; one that is pays 1 to 4 us. The parts of `prometheus_client` for each set of labels
are looked up in a dict of ours, which takes a tenth of what its own look-up takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

PREFIX = "ipcraft"
"""What every name begins with on the page."""

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of a histogram of durations."""


class _Measure:
    """Be a family of numbers, one for each set of values that the labels have had."""

    __slots__ = ("_family", "_parts", "description", "labels", "name")

    def __init__(self, name: str, description: str, labels: Sequence[str]) -> None:
        self.name = name
        self.description = description
        self.labels = tuple(labels)
        self._family: Any = None
        self._parts: dict[tuple[str, ...], Any] = {}

    def _part(self, values: tuple[str, ...]) -> Any:
        part = self._parts.get(values)
        if part is None:
            part = self._family.labels(*values) if self.labels else self._family
            self._parts[values] = part
        return part


class Counter(_Measure):
    """Count what happens. The page adds ``_total`` to the name."""

    __slots__ = ()

    def add(self, *values: str, amount: float = 1) -> None:
        """Count one more, or `amount`, with these values of the labels."""
        if self._family is not None:
            self._part(values).inc(amount)

    def begin(self, registry: CollectorRegistry) -> None:
        """Count from now on."""
        import prometheus_client

        self._family = prometheus_client.Counter(
            self.name, self.description, self.labels, namespace=PREFIX, registry=registry
        )


class Histogram(_Measure):
    """Measure how often something is how large, or takes how long."""

    __slots__ = ("buckets",)

    def __init__(
        self, name: str, description: str, labels: Sequence[str], *, buckets: Sequence[float]
    ) -> None:
        super().__init__(name, description, labels)
        self.buckets = tuple(buckets)

    def observe(self, value: float, *values: str) -> None:
        """Note one value, with these values of the labels."""
        if self._family is not None:
            self._part(values).observe(value)

    def begin(self, registry: CollectorRegistry) -> None:
        """Measure from now on."""
        import prometheus_client

        self._family = prometheus_client.Histogram(
            self.name,
            self.description,
            self.labels,
            namespace=PREFIX,
            registry=registry,
            buckets=self.buckets,
        )


M = TypeVar("M", Counter, Histogram)


class Metrics:
    """Give out the counters and histograms of one process: the core's own and the plugins'.

    Names are unique among all of them, and get ``ipcraft_`` put before. Who asks for the same
    thing again gets the same one. In a process that nobody asks for its metrics they count nothing.

    >>> lookups = app.metrics.counter("naming_lookups", "Names looked up.", labels=("answer",))
    >>> lookups.add("found")
    """

    def __init__(self) -> None:
        self._measures: dict[str, Counter | Histogram] = {}
        self._registry: CollectorRegistry | None = None

    def counter(self, name: str, description: str, *, labels: Sequence[str] = ()) -> Counter:
        """Give the counter of the name. Raises ValueError when that is something else."""
        return self._given(Counter(name, description, labels))

    def histogram(
        self,
        name: str,
        description: str,
        *,
        labels: Sequence[str] = (),
        buckets: Sequence[float] = SECONDS,
    ) -> Histogram:
        """Give the histogram of the name, by default one of seconds. Raises ValueError likewise."""
        return self._given(Histogram(name, description, labels, buckets=buckets))

    @property
    def descriptions(self) -> dict[str, str]:
        """Give what each name stands for."""
        return {name: each.description for name, each in self._measures.items()}

    def begin(self) -> CollectorRegistry:
        """Count and measure from now on; give the registry of this process's numbers."""
        if self._registry is None:
            # Imported late: only processes that are asked for their metrics pay for it.
            import prometheus_client

            prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
            self._registry = prometheus_client.CollectorRegistry()
            for measure in self._measures.values():
                measure.begin(self._registry)
        return self._registry

    def _given(self, measure: M) -> M:
        known = self._measures.get(measure.name)
        if known is not None:
            if not isinstance(known, type(measure)) or known.labels != measure.labels:
                raise ValueError(f"the metric {measure.name} is something else already")
            return known
        self._measures[measure.name] = measure
        if self._registry is not None:
            measure.begin(self._registry)
        return measure
