"""Which kinds of records a search is about: those that have everything its terms name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import Literal

from ipcraft_ipam.search.grammar import Reading, Term
from ipcraft_ipam.search.readings import (
    FreeReading,
    HostReading,
    MacReading,
    PlaceReading,
    RegisterReading,
)

Kind = Literal["addresses", "subnets", "registers"]
"""Registers are VLANs, VRFs and folders."""

_KINDS: Sequence[Kind] = ("addresses", "subnets", "registers")
_ALL = frozenset(_KINDS)
_REGISTERS = {"vlan", "vrf", "section"}
_FIELDS: Mapping[Kind, set[str]] = {
    "addresses": {
        "hostname", "owner", "description", "status", "ip", "in", "mac", "free", *_REGISTERS,
    },
    "subnets": {"name", "description", "network", "in", "free", *_REGISTERS},
    "registers": {"name", "description", *_REGISTERS},
}  # fmt: skip
_UNREAD: Mapping[Kind, tuple[type[Reading], ...]] = {
    "addresses": (),
    "subnets": (MacReading,),
    "registers": (HostReading, PlaceReading, MacReading),
}
"""What a term without a field may mean that records of a kind do not have."""


def kinds_of(terms: Sequence[Term]) -> frozenset[Kind]:
    """Give the kinds that have all that the terms name; none when no kind has all of it.

    It is subnets that have free addresses. Those of an address's subnet are meant beside a term
    that names what addresses alone have.
    """
    each = [_of_term(term) for term in terms]
    kinds = reduce(frozenset.__and__, each, _ALL)
    if {"addresses"} not in each and any(_is_free(term) for term in terms):
        return kinds - {"addresses"}
    return kinds


def hinted(terms: Sequence[Term]) -> tuple[Term, ...]:
    """Say at a term that nothing has both its field and that of one before it."""
    return tuple(_hinted(term, terms[:index]) for index, term in enumerate(terms))


def readings_of(kind: Kind, term: Term) -> list[Reading]:
    """Give what a term may mean for records of a kind: nothing for a VLAN there is not."""
    return [
        reading
        for reading in term.readings
        if _is_of(kind, reading) and not (isinstance(reading, RegisterReading) and not reading.ids)
    ]


def _hinted(term: Term, before: Sequence[Term]) -> Term:
    mine = _of_term(term)
    for other in before:
        if not mine & _of_term(other):
            names = [each.readings[0].field for each in (other, term)]
            return replace(term, hint="nothing has both {}: and {}:".format(*names))
    return term


def _of_term(term: Term) -> frozenset[Kind]:
    return frozenset(
        kind for kind in _KINDS if any(_is_of(kind, reading) for reading in term.readings)
    )


def _is_of(kind: Kind, reading: Reading) -> bool:
    if reading.field is None:
        return not isinstance(reading, _UNREAD[kind])
    return reading.field in _FIELDS[kind]


def _is_free(term: Term) -> bool:
    return any(isinstance(reading, FreeReading) for reading in term.readings)
