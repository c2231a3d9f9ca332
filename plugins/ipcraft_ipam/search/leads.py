"""Leads: what a term gives to begin a search with.

Whatever matches all terms is at the end of each lead. They are followed by turns, a little at
first, then further, until one has ended or enough is found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any, Protocol

from sqlalchemy import Table

from ipcraft_ipam.search.area import outermost
from ipcraft_ipam.search.candidates import EVERYTHING, question
from ipcraft_ipam.search.grams import ADDRESS_TAGS, SUBNET_TAGS
from ipcraft_ipam.search.hunt import Hunt
from ipcraft_ipam.search.listing import listed
from ipcraft_ipam.search.patterns import How, Pattern
from ipcraft_ipam.search.readings import RegisterReading
from ipcraft_ipam.search.statements import (
    MEMBERS,
    Member,
    Source,
    by_short_text,
    by_text,
)
from ipcraft_ipam.search.walks import in_subnets
from ipcraft_ipam.tables import addresses, subnets

_BETTER: Sequence[How] = ("begins", "equals")
_TAGS: Mapping[Table, Sequence[str]] = {addresses: ADDRESS_TAGS, subnets: SUBNET_TAGS}
_FURTHER = 20
_MEMBERS = 1_000
"""Subnets of a VLAN or a folder that are walked through together."""


class Effort(IntEnum):
    """Say how far a lead is followed."""

    LITTLE = 0
    FURTHER = 1
    TO_THE_END = 2


_CANDIDATES = {Effort.LITTLE: 2_000, Effort.FURTHER: 30_000, Effort.TO_THE_END: EVERYTHING}
"""What is looked at of a walk; of one that is all the search, no more than are wanted at first."""


class Lead(Protocol):
    """Be what a search can begin with."""

    def follow(self, hunt: Hunt, effort: Effort) -> bool:
        """Look at what it leads to, and tell whether that was all."""
        ...


@dataclass(frozen=True, slots=True)
class Walk:
    """Be a range of records in an index, read from its start."""

    source: Source
    where: Mapping[str, Any]

    def follow(self, hunt: Hunt, effort: Effort) -> bool:
        """Look at some of the range."""
        most = _most(hunt, effort)
        return hunt.ask(self.source, most_candidates=most, **self.where) < most


@dataclass(frozen=True, slots=True)
class Texts:
    """Be the index of texts, asked for some that a record must all have.

    When not all is looked at, those found are some of them. So those that begin with the texts, and
    those that are them, are asked for besides: none of the best is missed.
    """

    patterns: Sequence[Pattern]

    def follow(self, hunt: Hunt, effort: Effort) -> bool:
        """Ask for some, and when they suffice, for better ones."""
        further = {Effort.LITTLE: hunt.limit, Effort.FURTHER: hunt.limit * _FURTHER}
        if self._is_all(hunt, self.patterns, further.get(effort, EVERYTHING)):
            return True
        if hunt.is_full:
            self.improve(hunt)
        return False

    def improve(self, hunt: Hunt) -> None:
        """Ask for those that begin so and, when they are many, for those that are the text."""
        for how in _BETTER:
            better = [replace(each, how=how) for each in self.patterns]
            if self._is_all(hunt, better, hunt.limit):
                return

    def _is_all(self, hunt: Hunt, patterns: Sequence[Pattern], enough: int) -> bool:
        asked = question(
            patterns,
            _TAGS[hunt.table],
            organization_id=hunt.reader.organization_id or "",
            enough=enough,
        )
        return hunt.ask(by_short_text if asked["trigrams"] is None else by_text, **asked) < enough


@dataclass(frozen=True, slots=True)
class Either:
    """Be what a term leads to that can be read in several ways, places first."""

    leads: Sequence[Lead]
    places: int
    """How many of the leads are such that no text ranks before what they find."""

    def follow(self, hunt: Hunt, effort: Effort) -> bool:
        """Follow all of them."""
        ended = True
        for index, lead in enumerate(self.leads):
            if index >= self.places and len(hunt.terms) == 1 and hunt.is_full:
                return False
            ended &= lead.follow(hunt, effort)
        return ended


@dataclass(slots=True)
class Members:
    """Be the subnets of a VLAN or of a folder, through which a search for addresses walks.

    PERF: some folders have very many, of which only some are read until all are needed.
    """

    reading: RegisterReading
    term: int
    """Which term it is: all addresses in these subnets match it."""
    _found: Sequence[Member] = field(default=(), init=False)
    _read: int = field(default=0, init=False)

    def follow(self, hunt: Hunt, effort: Effort) -> bool:
        """Look at some addresses of some of the subnets."""
        most = _most(hunt, effort)
        number = 0
        are_all = self._read_up_to(hunt, EVERYTHING if effort is Effort.TO_THE_END else _MEMBERS)
        for start in range(0, len(self._found), _MEMBERS):
            ids = [each.id for each in self._found[start : start + _MEMBERS]]
            number += hunt.ask(
                in_subnets,
                known=(self.term,),
                most_candidates=most,
                walk_ids=listed(ids),
                **hunt.area.ends,
            )
            if number >= most or hunt.is_full:
                return False
        return are_all

    def _read_up_to(self, hunt: Hunt, most: int) -> bool:
        """Read so many subnets, unless they are read already; tell whether these are all."""
        if most > self._read:
            ids = listed(self.reading.ids)
            statement = MEMBERS[self.reading.register]
            members = hunt.reader.all(statement, walk_ids=ids, most_candidates=most)
            self._found = outermost(members, hunt.area)
            self._read = EVERYTHING if len(members) < most else most
        return self._read == EVERYTHING


def _most(hunt: Hunt, effort: Effort) -> int:
    if effort is Effort.LITTLE and len(hunt.terms) == 1:
        return hunt.limit
    return max(_CANDIDATES[effort], hunt.limit)
