"""The table the benchmark prints: one line per figure, its ratios, and what it must reach."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bench.figures import Series

Subject = Literal["of limit", "ratio", "value"]


@dataclass(frozen=True, slots=True)
class Goal:
    """Bound a figure of a line: its share of the limit, its ratio, or the value in its note."""

    subject: Subject
    sign: Literal[">=", "<="]
    bound: float
    unit: str = ""

    def met_by(self, value: float | None) -> bool:
        """Tell whether the value keeps the bound; one that could not be measured does not."""
        if value is None or math.isnan(value):
            return False
        return value >= self.bound if self.sign == ">=" else value <= self.bound

    def __str__(self) -> str:
        text = f"{self.sign} {self.bound:g}{self.unit}"
        return text if self.subject == "value" else f"{self.subject} {text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Hold one line of the table; what is None or empty is printed as nothing."""

    operation: str
    series: Series | None = None
    data: str = ""
    clients: int | None = None
    of_limit: float | None = None
    """Requests per second, divided by those of the bare application beside it."""
    ratio: float | None = None
    """The figure divided by the one named in `to`."""
    to: str = ""
    value: float | None = None
    """A figure with a goal that fits none of the columns; the note says it in words."""
    goals: tuple[Goal, ...] = ()
    note: str = ""
    fault: str = ""
    """What went wrong, other than being slow."""

    @property
    def met(self) -> bool | None:
        """Tell whether every goal is met; None without goals."""
        if not self.goals:
            return None
        held = {"of limit": self.of_limit, "ratio": self.ratio, "value": self.value}
        return all(goal.met_by(held[goal.subject]) for goal in self.goals)

    @property
    def broken(self) -> str:
        """Say what went wrong: an unexpected answer, or a fault found in the results."""
        parts = [self.fault] if self.fault else []
        if self.series is not None and self.series.surprise is not None:
            statuses = dict(sorted(self.series.statuses.items()))
            parts.append(f"unexpected answers {statuses}: {self.series.surprise}")
        return "; ".join(parts)


_HEADINGS = (
    *("operation", "data", "clients", "op/s", "p50 ms", "p99 ms"),
    *("of limit", "ratio", "to", "must", "met", "note"),
)
_LEFT = {0, 1, 8, 9, 10, 11}


def render(lines: Sequence[Line]) -> str:
    """Write the table as aligned Markdown."""
    rows = [_HEADINGS, *(_cells(line) for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    rule = [
        "-" * width if n in _LEFT else "-" * (width - 1) + ":" for n, width in enumerate(widths)
    ]
    printed = [_join(rows[0], widths), _join(rule, widths)]
    printed += [_join(row, widths) for row in rows[1:]]
    return "\n".join(printed)


def _join(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (
        cell.ljust(width) if n in _LEFT else cell.rjust(width)
        for n, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return f"| {' | '.join(padded)} |"


def _cells(line: Line) -> tuple[str, ...]:
    series = line.series
    verdict = {None: "", True: "yes", False: "NO"}[line.met]
    note = "; ".join(part for part in (line.note, line.broken and f"BROKEN: {line.broken}") if part)
    times = (None, None, None) if series is None else (series.rate, series.p50, series.p99)
    return (
        *(line.operation, line.data, "" if line.clients is None else str(line.clients)),
        *(_number(times[0], 1), _number(times[1], 2), _number(times[2], 2)),
        _number(line.of_limit, 2),
        *(_number(line.ratio, 2), line.to, ", ".join(map(str, line.goals)), verdict),
        " ".join(note.replace("|", "/").split()),
    )


def _number(value: float | None, digits: int) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 1000 else f"{value:,.{digits}f}"
