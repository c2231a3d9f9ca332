"""Lines: what a month costs, made of periods and prices and of nothing else."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TextIO

from ipcraft.plugin import rfc3339
from ipcraft_invoice.periods import Period

HEAD = (
    "organization_id",
    "organization",
    "plan",
    "from",
    "until",
    "price",
    "share",
    "amount",
    "currency",
)
"""The names of the columns."""

_CENT = Decimal("0.01")
_SHARE = Decimal("0.000001")
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Month:
    """Be a month of UTC: its first second, and the first one after it."""

    start: int
    stop: int

    @classmethod
    def of(cls, text: str) -> Month:
        """Read ``2026-03``. Raises ValueError."""
        first = datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC)
        year, month = divmod(first.year * _MONTHS + first.month, _MONTHS)
        after = first.replace(year=year, month=month + 1)
        return cls(int(first.timestamp()), int(after.timestamp()))


@dataclass(frozen=True, slots=True)
class Line:
    """Be a line of an invoice."""

    organization_id: str
    organization: str
    plan: str
    began_at: str
    ended_at: str
    price: Decimal
    share: Decimal
    amount: Decimal
    currency: str


def lines(
    periods: Iterable[Period],
    month: Month,
    *,
    prices: Mapping[str, Decimal],
    currency: str,
    now: int,
) -> Iterator[Line]:
    """Give a line for each period within the month whose plan has a price."""
    for period in periods:
        price = prices.get(period.plan)
        start = max(period.began_at, month.start)
        stop = min(now if period.ended_at is None else period.ended_at, month.stop)
        if price is None or stop <= start:
            continue
        share = Decimal(stop - start) / Decimal(month.stop - month.start)
        yield Line(
            period.organization_id,
            _harmless(period.organization),
            period.plan,
            rfc3339(start),
            rfc3339(stop),
            price.quantize(_CENT),
            share.quantize(_SHARE, ROUND_HALF_UP),
            (price * share).quantize(_CENT, ROUND_HALF_UP),
            currency,
        )


def write(file: TextIO, found: Iterable[Line]) -> None:
    """Write lines as CSV (RFC 4180)."""
    writer = csv.writer(file)
    writer.writerow(HEAD)
    writer.writerows(astuple(each) for each in found)


def _harmless(name: str) -> str:
    """Keep a spreadsheet from taking a name for a formula."""
    return f"'{name}" if name.startswith(_FORMULAS) else name
