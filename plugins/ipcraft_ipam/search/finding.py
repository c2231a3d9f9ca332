"""Finding records: the best sources for the terms are asked, all terms are compared.

A source is where candidates come from: the index of texts, a walk through addresses in their order,
a range of MAC addresses. The first term that names a place or a MAC address leads; without one the
texts do. A walk that finds too much to look at all of it leaves the rest to the index of texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Table

from ipcraft.plugin import Reader, Row
from ipcraft_ipam.networks import to_bytes
from ipcraft_ipam.search.candidates import EVERYTHING, question
from ipcraft_ipam.search.grammar import Reading, Term
from ipcraft_ipam.search.grams import ADDRESS_TAGS, SUBNET_TAGS
from ipcraft_ipam.search.patterns import How, Pattern
from ipcraft_ipam.search.readings import (
    FreeReading,
    HostReading,
    MacReading,
    PlaceReading,
    StatusReading,
    TextReading,
)
from ipcraft_ipam.search.slots import slot_count, values
from ipcraft_ipam.search.statements import (
    COLUMNS,
    ORDER,
    VRFS,
    Source,
    around,
    by_mac_address,
    by_place,
    by_short_text,
    by_text,
    statement,
)
from ipcraft_ipam.tables import addresses, subnets

_PROBE = 2_000
"""Candidates of a walk that are looked at before the index of texts is asked instead."""

_FURTHER = 20
_BETTER: Sequence[How] = ("begins", "equals")
_WHOLE = (b"", b"\xff")

_FIELDS = {
    addresses: {"hostname", "owner", "description", "status", "ip", "in", "mac"},
    subnets: {"name", "description", "network", "in", "free"},
}
_READ_BY = {
    addresses: (TextReading, StatusReading, HostReading, PlaceReading, MacReading),
    subnets: (TextReading, HostReading, PlaceReading, FreeReading),
}
_TAGS = {addresses: ADDRESS_TAGS, subnets: SUBNET_TAGS}
_PLACED = (HostReading, PlaceReading, MacReading)


def find(reader: Reader, table: Table, terms: Sequence[Term], *, limit: int) -> list[Row]:
    """Give up to `limit` rows that match all terms, the best first, as the list's rows.

    `table`: addresses or subnets. Rows of one rank come by VRF and address. Of more texts that
    contain a term than `limit`, not the first are given but some: those of a sample.
    """
    readings = [_readings(table, term) for term in terms]
    if not all(readings):
        return []
    hunt = _Hunt(reader, table, readings, limit)
    hunt.run()
    return hunt.best()


def _readings(table: Table, term: Term) -> list[Reading]:
    """Give what a term may mean for the records of a table."""
    return [
        reading
        for reading in term.readings
        if isinstance(reading, _READ_BY[table])
        and (reading.field is None or reading.field in _FIELDS[table])
    ]


@dataclass(slots=True)
class _Hunt:
    """Collect what the sources give."""

    reader: Reader
    table: Table
    terms: Sequence[Sequence[Reading]]
    limit: int
    found: dict[str, tuple[int, Row]] = field(default_factory=dict[str, "tuple[int, Row]"])
    _parameters: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self._parameters = {**values(self.table, self.terms), "limit": self.limit}

    def run(self) -> None:
        """Ask the sources that the terms suggest."""
        sure = [
            term[0].pattern
            for term in self.terms
            if len(term) == 1 and isinstance(term[0], TextReading)
        ]
        placed = [term for term in self.terms if isinstance(term[0], _PLACED)]
        if placed:
            self._by_term(placed[0], sure)
        elif sure:
            self._by_texts(sure)
        else:
            self._by_term(self.terms[0], sure)

    def best(self) -> list[Row]:
        """Give the best rows found."""
        columns = [column.name for column in COLUMNS[self.table.name]]
        places = [columns.index(name) for name in ORDER[self.table.name]]
        ranked = sorted(
            self.found.values(), key=lambda each: (each[0], *(each[1][place] for place in places))
        )
        return [row for _, row in ranked[: self.limit]]

    def _by_term(self, term: Sequence[Reading], sure: Sequence[Pattern]) -> None:
        for reading in term:
            if not isinstance(reading, TextReading):
                self._by_place(reading, sure)
        if isinstance(term[0], _PLACED) and len(self.terms) == 1 and len(self.found) >= self.limit:
            return  # no text ranks before a place
        for reading in term:
            if isinstance(reading, TextReading):
                self._by_texts([*sure, reading.pattern])

    def _by_place(self, reading: Reading, sure: Sequence[Pattern]) -> None:
        if isinstance(reading, MacReading):
            self._walk(by_mac_address, sure, walk_first=reading.prefix, walk_last=reading.last)
            return
        first, last = _span(reading)
        if self.table is subnets and isinstance(reading, HostReading):
            length = reading.network.prefix_length
            self._walk(around, sure, first=first, last=last, prefix_length=length)
            return
        before = len(self.found)
        for vrf_id in self.reader.all(VRFS):
            self._walk(by_place, sure, walk_vrf_id=vrf_id, walk_first=first, walk_last=last)
            if len(self.found) - before >= self.limit:
                return

    def _walk(self, source: Source, sure: Sequence[Pattern], **where: Any) -> None:
        """Look at the candidates of a walk, some of them first."""
        if sure:
            number, count = self._ask(source, most_candidates=_PROBE, **where)
            if number == _PROBE:
                further = self._by_beginnings if count >= self.limit else self._by_texts
                further(sure)
            return
        for most in (self.limit, _PROBE, EVERYTHING):
            number, count = self._ask(source, most_candidates=most, **where)
            if number < most or count >= self.limit:
                return

    def _by_texts(self, patterns: Sequence[Pattern]) -> None:
        """Ask for texts; when there are more than can be looked at, for the best ones besides."""
        steps = (self.limit, self.limit * _FURTHER, EVERYTHING)
        if not self._by_patterns(patterns, steps):
            self._by_beginnings(patterns)

    def _by_beginnings(self, patterns: Sequence[Pattern]) -> None:
        """Ask for texts that begin so, and, when they are many, for those that are the whole text.

        These are better than what is found already. When few of many match the other terms, they
        are not all looked at.
        """
        for how in _BETTER:
            if self._by_patterns([replace(each, how=how) for each in patterns], (self.limit,)):
                return

    def _by_patterns(self, patterns: Sequence[Pattern], steps: Sequence[int]) -> bool:
        """Ask the index, for more as long as too few match; tell whether these are all."""
        for enough in steps:
            asked = question(
                patterns,
                _TAGS[self.table],
                organization_id=self.reader.organization_id or "",
                enough=enough,
            )
            source = by_short_text if asked["trigrams"] is None else by_text
            number, count = self._ask(source, **asked)
            if number < enough:
                return True
            if count >= self.limit:
                break
        return False

    def _ask(self, source: Source, **parameters: Any) -> tuple[int, int]:
        """Ask a source; give how many candidates it had and how many of them were found."""
        rows = self.reader.all(
            statement(self.table, source, slot_count(self.terms)),
            **self._parameters,
            **parameters,
        )
        matching = [row for row in rows if row[2] is not None]
        self.found.update((row[2], (row[1], row[2:])) for row in matching)
        return rows[0][0], len(matching)


def _span(reading: Reading) -> tuple[bytes, bytes]:
    if isinstance(reading, HostReading):
        return to_bytes(reading.ip), to_bytes(reading.ip)
    if not isinstance(reading, PlaceReading):
        return _WHOLE
    network = reading.network
    last = network.first if reading.field == "network" else network.last
    return to_bytes(network.first), to_bytes(last)
