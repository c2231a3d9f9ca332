"""Finding records: the terms that lead to few are followed, all terms are compared.

What a search costs is up to its shortest lead: an address, a MAC address, a VLAN, a network, texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from ipcraft.plugin import Reader, Row
from ipcraft_ipam.networks import Span, to_bytes
from ipcraft_ipam.search.area import Area, area_of, span_of
from ipcraft_ipam.search.grammar import Reading, Term
from ipcraft_ipam.search.hunt import Hunt
from ipcraft_ipam.search.kinds import readings_of
from ipcraft_ipam.search.leads import Effort, Either, Lead, Members, Texts, Walk
from ipcraft_ipam.search.listing import listed
from ipcraft_ipam.search.patterns import Pattern
from ipcraft_ipam.search.readings import (
    HostReading,
    MacReading,
    PlaceReading,
    RegisterReading,
    TextReading,
)
from ipcraft_ipam.search.statements import around, by_mac_address, by_section, by_vlan
from ipcraft_ipam.search.walks import by_place
from ipcraft_ipam.tables import addresses, subnets

_TABLES = {"addresses": addresses, "subnets": subnets}
_REFERRING = {"vlan": by_vlan, "section": by_section}
_PLACED = (HostReading, PlaceReading, MacReading)


def find(
    reader: Reader, kind: Literal["addresses", "subnets"], terms: Sequence[Term], *, limit: int
) -> list[Row]:
    """Give up to `limit` rows that match all terms, the best first, as the list's rows.

    Rows of one rank come by VRF and address. Of more texts that
    contain a term than `limit`, not the first are given but some: those of a sample.
    """
    readings = [readings_of(kind, term) for term in terms]
    if not all(readings):
        return []
    area = area_of(readings)
    if area is None:
        return []
    hunt = Hunt(reader, _TABLES[kind], readings, area, limit)
    _run(hunt)
    return hunt.best()


def _run(hunt: Hunt) -> None:
    texts = _sure_texts(hunt)
    leads = list(_leads(hunt, texts))
    for effort in Effort:
        for lead in leads:
            if lead.follow(hunt, effort):
                return
            if hunt.is_full:
                if texts and not isinstance(lead, Texts):
                    Texts(texts).improve(hunt)
                return


def _leads(hunt: Hunt, texts: Sequence[Pattern]) -> Iterator[Lead]:
    """Give what the terms lead to, the shortest first, as far as can be told."""
    found = [
        *_by_mac_address(hunt),
        *_by_registers(hunt),
        *_by_places(hunt, texts),
        *([] if hunt.area.is_everything or _has_members(hunt) else [_by_area(hunt.area)]),
        *([Texts(texts)] if texts else []),
    ]
    return iter(found or [_by_term(hunt, hunt.terms[0], texts)])


def _sure_texts(hunt: Hunt) -> list[Pattern]:
    return [
        term[0].pattern
        for term in hunt.terms
        if len(term) == 1 and isinstance(term[0], TextReading)
    ]


def _by_mac_address(hunt: Hunt) -> Iterator[Lead]:
    for term in hunt.terms:
        if len(term) == 1 and isinstance(term[0], MacReading):
            yield _by_reading(hunt, term[0], ())


def _by_registers(hunt: Hunt) -> Iterator[Lead]:
    for index, term in enumerate(hunt.terms):
        reading = term[0]
        if isinstance(reading, RegisterReading) and reading.register != "vrf":
            if hunt.table is addresses:
                yield Members(reading, index)
            else:
                yield Walk(_REFERRING[reading.register], {"walk_ids": listed(reading.ids)})


def _has_members(hunt: Hunt) -> bool:
    """Tell whether subnets are walked through, which are cut to the area already."""
    return hunt.table is addresses and any(True for _ in _by_registers(hunt))


def _by_places(hunt: Hunt, texts: Sequence[Pattern]) -> Iterator[Lead]:
    """Follow the terms that may be a place, or a text in which it is written."""
    for term in hunt.terms:
        if len(term) > 1 and isinstance(term[0], _PLACED):
            yield _by_term(hunt, term, texts)


def _by_term(hunt: Hunt, term: Sequence[Reading], texts: Sequence[Pattern]) -> Lead:
    leads = [_by_reading(hunt, reading, texts) for reading in term]
    return Either(leads, places=sum(isinstance(reading, _PLACED) for reading in term))


def _by_reading(hunt: Hunt, reading: Reading, texts: Sequence[Pattern]) -> Lead:
    if isinstance(reading, TextReading):
        return Texts([*texts, reading.pattern])
    if isinstance(reading, MacReading):
        ends = {"walk_first": reading.prefix, "walk_last": reading.last}
        return Walk(by_mac_address, ends)
    if isinstance(reading, HostReading):
        return _by_host(hunt, reading)
    if isinstance(reading, PlaceReading):
        return _by_area(hunt.area.within(span_of(reading)))
    return _by_area(hunt.area)


def _by_host(hunt: Hunt, reading: HostReading) -> Lead:
    if hunt.table is addresses:
        return _by_area(hunt.area.within(Span(reading.ip, reading.ip)))
    ip, length = to_bytes(reading.ip), reading.network.prefix_length
    return Walk(around, {"first": ip, "last": ip, "prefix_length": length})


def _by_area(area: Area | None) -> Lead:
    if area is None:
        return Either((), places=0)
    vrf_ids = None if area.vrf_ids is None else listed(sorted(area.vrf_ids))
    return Walk(by_place, {"walk_ids": vrf_ids, **area.ends})
