"""What a search has found so far, and the asking for more."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table

from ipcraft.plugin import Reader, Row
from ipcraft_ipam.search.area import Area
from ipcraft_ipam.search.grammar import Reading
from ipcraft_ipam.search.slots import shape_of, unused, values
from ipcraft_ipam.search.statements import COLUMNS, ORDER, Source, statement


@dataclass(slots=True)
class Hunt:
    """Collect the records of a table that match all terms, each of which means its readings."""

    reader: Reader
    table: Table
    terms: Sequence[Sequence[Reading]]
    area: Area
    limit: int
    _found: dict[str, tuple[int, Row]] = field(default_factory=dict[str, "tuple[int, Row]"])
    _parameters: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self._parameters = {**values(self.table.name, self.terms), "limit": self.limit}

    @property
    def is_full(self) -> bool:
        """Tell whether as many are found as are wanted."""
        return len(self._found) >= self.limit

    def ask(self, source: Source, *, known: Collection[int] = (), **parameters: Any) -> int:
        """Ask a source, and give how many candidates it had.

        `known` are the terms that all of them match.
        """
        rows = self.reader.all(
            statement(self.table, source, shape_of(self.table.name, self.terms, known=known)),
            **self._parameters | unused(known),
            **parameters,
        )
        self._found.update((row[2], (row[1], row[2:])) for row in rows if row[2] is not None)
        number: int = rows[0][0]
        return number

    def best(self) -> list[Row]:
        """Give the best rows found."""
        columns = [column.name for column in COLUMNS[self.table.name]]
        places = [columns.index(name) for name in ORDER[self.table.name]]
        ranked = sorted(
            self._found.values(), key=lambda each: (each[0], *(each[1][place] for place in places))
        )
        return [row for _, row in ranked[: self.limit]]
