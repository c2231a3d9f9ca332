"""Answers to searches, as the API reference and its additions have them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, NotRequired, TypedDict

from msgspec import Meta

from ipcraft.plugin import Reader, Row
from ipcraft_ipam.networks import format_bytes
from ipcraft_ipam.representation import (
    AddressObject,
    Description,
    Name,
    NetworkText,
    SectionId,
    SectionObject,
    SubnetId,
    VLANId,
    VlanObject,
    VRFId,
    VrfObject,
    listed_address,
    section_object,
    vlan_object,
    vrf_object,
)
from ipcraft_ipam.search.finding import find
from ipcraft_ipam.search.grammar import Reading, Term
from ipcraft_ipam.search.kinds import hinted, kinds_of
from ipcraft_ipam.search.lookup import look_up
from ipcraft_ipam.search.registered import find_registered

DEFAULT_LIMIT = 50
"""Records of each kind."""

MOST = 1000
"""Records of each kind that may be asked for."""


class FoundSubnet(TypedDict):
    """A subnet as a search finds it, without its utilization."""

    id: SubnetId
    network: NetworkText
    name: Name | None
    description: Description | None
    section_id: SectionId | None
    parent_id: SubnetId | None
    vrf_id: VRFId | None
    vlan_id: VLANId | None


class ReadingObject(TypedDict):
    """One way to understand a term."""

    kind: Annotated[str, Meta(examples=["text"])]
    field: str | None
    value: Any
    meaning: Annotated[str, Meta(description="A sentence.")]


class TermObject(TypedDict):
    """A term of the query, and how it was understood: as any of its readings."""

    term: Annotated[str, Meta(examples=["web"])]
    readings: list[ReadingObject]
    hint: NotRequired[str]


class FoundObject(TypedDict):
    """What a search finds, the best first."""

    subnets: list[FoundSubnet]
    addresses: list[AddressObject]
    vlans: list[VlanObject]
    vrfs: list[VrfObject]
    sections: list[SectionObject]
    interpretation: list[TermObject]


def answer(reader: Reader, terms: Sequence[Term], *, limit: int = DEFAULT_LIMIT) -> FoundObject:
    """Find what matches every term, the best first, and say how each term was understood."""
    terms = hinted(look_up(reader, terms))
    kinds = kinds_of(terms)
    registered = find_registered(reader, terms, limit=limit)
    around = find(reader, "subnets", terms, limit=limit) if "subnets" in kinds else ()
    assigned = find(reader, "addresses", terms, limit=limit) if "addresses" in kinds else ()
    return {
        "subnets": [_subnet(row) for row in around],
        "addresses": [listed_address(row) for row in assigned],
        "vlans": [vlan_object(vlan) for vlan in registered.vlans],
        "vrfs": [vrf_object(vrf) for vrf in registered.vrfs],
        "sections": [section_object(section) for section in registered.sections],
        "interpretation": [_term(term) for term in terms],
    }


def _subnet(row: Row) -> FoundSubnet:
    """Show a row of `subnets.COLUMNS`. PERF: without its utilization, which is a sum for each."""
    id_, vrf_id, first, length, parent_id, section_id, vlan_id, name, description, *_ = row
    return {
        "id": id_,
        "network": f"{format_bytes(first)}/{length}",
        "name": name,
        "description": description,
        "section_id": section_id,
        "parent_id": parent_id or None,
        "vrf_id": vrf_id or None,
        "vlan_id": vlan_id,
    }


def _term(term: Term) -> TermObject:
    shown: TermObject = {
        "term": term.text,
        "readings": [_reading(reading) for reading in term.readings],
    }
    return shown if term.hint is None else {**shown, "hint": term.hint}


def _reading(reading: Reading) -> ReadingObject:
    return {
        "kind": reading.kind,
        "field": reading.field,
        "value": reading.value,
        "meaning": reading.sentence,
    }
