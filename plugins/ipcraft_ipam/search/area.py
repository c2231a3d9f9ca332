"""The area a search is confined to: what its networks, VRFs, VLANs and folders have in common.

Only terms that can mean nothing else confine a search. All that matches is inside; what is inside
is still compared, except with the VLANs and folders whose subnets are walked through one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ipcraft_ipam.networks import Span, from_bytes, to_bytes
from ipcraft_ipam.search.grammar import Reading
from ipcraft_ipam.search.readings import PlaceReading, RegisterReading
from ipcraft_ipam.search.statements import Member


@dataclass(frozen=True, slots=True)
class Area:
    """Be the addresses of a span, in all VRFs or in some."""

    span: Span | None = None
    vrf_ids: frozenset[str] | None = None

    @property
    def is_everything(self) -> bool:
        """Tell whether nothing confines it."""
        return self.span is None and self.vrf_ids is None

    @property
    def ends(self) -> dict[str, bytes]:
        """Give the parameters of a walk from its first address to its last one."""
        if self.span is None:
            return {"walk_first": b"", "walk_last": b"\xff"}
        return {"walk_first": to_bytes(self.span.first), "walk_last": to_bytes(self.span.last)}

    def within(self, span: Span) -> Area | None:
        """Give what is in a span, too; None when there is nothing."""
        common = span if self.span is None else self.span.intersection(span)
        return None if common is None else Area(common, self.vrf_ids)

    def among(self, vrf_ids: Iterable[str]) -> Area | None:
        """Give what is in some VRFs, too."""
        among = frozenset(vrf_ids)
        common = among if self.vrf_ids is None else self.vrf_ids & among
        return Area(self.span, common) if common else None


def area_of(terms: Sequence[Sequence[Reading]]) -> Area | None:
    """Give the area of terms; None when nothing can match all of them."""
    area: Area | None = Area()
    for readings in terms:
        if area is None or len(readings) > 1:
            continue
        [reading] = readings
        if isinstance(reading, PlaceReading):
            area = area.within(span_of(reading))
        elif isinstance(reading, RegisterReading) and reading.register == "vrf":
            area = area.among(reading.ids)
    return area


def span_of(reading: PlaceReading) -> Span:
    """Give the addresses that a network may begin at."""
    first = reading.network.first
    return Span(first, first if reading.field == "network" else reading.network.last)


def outermost(members: Iterable[Member], area: Area) -> list[Member]:
    """Give the subnets that reach into an area, by VRF and address, but none inside another."""
    largest_first = sorted(members, key=lambda each: each.last, reverse=True)
    found: list[Member] = []
    for each in sorted(largest_first, key=lambda each: (each.vrf_id, each.first)):
        around = found[-1] if found else None
        if around and around.vrf_id == each.vrf_id and each.first <= around.last:
            continue
        if _reaches_into(each, area):
            found.append(each)
    return found


def _reaches_into(member: Member, area: Area) -> bool:
    if area.vrf_ids is not None and member.vrf_id not in area.vrf_ids:
        return False
    span = Span(from_bytes(member.first), from_bytes(member.last))
    return area.span is None or area.span.intersection(span) is not None
