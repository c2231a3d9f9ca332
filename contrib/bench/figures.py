"""What was measured: the answers of one run, and the rounds of one operation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True, slots=True)
class Figures:
    """Hold one run: latencies in nanoseconds, and how the answers looked."""

    latencies: Sequence[int]
    seconds: float
    statuses: Mapping[int, int]
    """How often each status came; 0 stands for a connection that broke."""
    answers: Sequence[bytes] = ()
    """Whole responses, if the run was asked to keep them."""
    surprise: str | None = None
    """The first answer whose status was not the expected one."""

    @property
    def rate(self) -> float:
        """Give requests answered per second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0


@dataclass(slots=True)
class Series:
    """Gather the rounds of one operation; rates are medians, so one bad round does no harm."""

    rounds: list[Figures] = field(default_factory=list[Figures])

    @classmethod
    def once(cls, *seconds: float) -> Series:
        """Make a series of things that were timed one by one."""
        return cls([Figures([int(each * 1e9)], each, {}) for each in seconds])

    def add(self, figures: Figures) -> None:
        """Add a round."""
        self.rounds.append(figures)

    @property
    def rate(self) -> float:
        """Give the median of the rounds' requests per second."""
        return median(figures.rate for figures in self.rounds)

    def percentile(self, share: float) -> float:
        """Give the latency, in milliseconds, below which this share of all requests stayed."""
        latencies = sorted(ns for figures in self.rounds for ns in figures.latencies)
        if not latencies:
            return float("nan")
        return latencies[min(len(latencies) - 1, int(share * len(latencies)))] / 1e6

    @property
    def p50(self) -> float:
        """Give the median latency in milliseconds."""
        return self.percentile(0.50)

    @property
    def p99(self) -> float:
        """Give the latency in milliseconds that one request in a hundred exceeds."""
        return self.percentile(0.99)

    @property
    def statuses(self) -> Counter[int]:
        """Count the statuses of all rounds."""
        total: Counter[int] = Counter()
        for figures in self.rounds:
            total.update(figures.statuses)
        return total

    @property
    def surprise(self) -> str | None:
        """Give the first unexpected answer of any round."""
        return next((f.surprise for f in self.rounds if f.surprise is not None), None)

    def rate_beside(self, other: Series) -> float:
        """Divide the rates round by round, against the other's round run next to it; median."""
        pairs = zip(self.rounds, other.rounds, strict=True)
        return median(mine.rate / theirs.rate if theirs.rate else 0.0 for mine, theirs in pairs)
