"""Terms as conditions: a slot of a statement for each, in which every reading has a place.

PERF: what a term means is in the parameters, so that a few statements serve all searches and a
connection keeps each of them prepared. A place that is not used is null, and matches nothing.

Each slot gives the best rank of its readings, the lower the better: what the term names itself,
what is inside it, then a text that equals, begins with, or contains the term.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    and_,
    case,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy import cast as sql_cast

from ipcraft.plugin import AddressBytes, given, own
from ipcraft_ipam.networks import BITS, IPV4, IPV6, to_bytes
from ipcraft_ipam.search.grammar import MOST_FREE, Reading
from ipcraft_ipam.search.homes import around_homes
from ipcraft_ipam.search.listing import listed, one_of
from ipcraft_ipam.search.patterns import Pattern
from ipcraft_ipam.search.readings import (
    FreeReading,
    HostReading,
    MacReading,
    PlaceReading,
    RegisterReading,
    StatusReading,
    TextReading,
)
from ipcraft_ipam.tables import subnets
from ipcraft_ipam.usage import used_within

SIZES = (1, 4, 16)
"""How many slots the statements have."""


class Registers(Enum):
    """Say whether VLANs, VRFs and folders are asked for; PERF: most searches name none of them.

    `HOMES`: also those of the subnets around an address.
    """

    NONE = "none"
    COLUMNS = "columns"
    HOMES = "homes"


@dataclass(frozen=True, slots=True)
class Shape:
    """Say what slots a statement has; `frees`: those of an address ask for its subnet's free ones.

    Subnets are always asked for theirs.
    """

    size: int
    registers: Registers
    frees: bool


_INSIDE, _EQUALS, _BEGINS, _CONTAINS = 500, 1000, 2000, 3000
_HOWS = {"equals": _EQUALS, "begins": _BEGINS, "contains": _CONTAINS}
_SMALL_BITS = 61
_TEXT = ("like", "equals", "begins")
_IDS = ("vrfs", "referred")
_FREE = ("least", "most")
_PLACES = {
    "addresses": (
        *_TEXT, *_IDS, *_FREE, "status", "status_rank", "first", "last", "mac_first", "mac_last",
    ),
    "subnets": (
        *_TEXT, *_IDS, *_FREE, "itself", "prefix", "first", "last", "ip", "ip_prefix",
    ),
    "registers": (*_TEXT, *_IDS),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Slot:
    """Be the condition and the rank of one term."""

    condition: ColumnElement[bool]
    rank: ColumnElement[int]


def slots(kind: str, rows: FromClause, shape: Shape) -> Sequence[Slot]:
    """Give the slots of a statement over rows of a kind: addresses, subnets or registers."""
    each = [_SLOTS[kind](rows, index) for index in range(shape.size)]
    if shape.registers is not Registers.NONE:
        within = _within(kind, rows, shape)
        each = [_or_named(slot, within(index), index, _IDS) for index, slot in enumerate(each)]
    if shape.frees:
        roomy = _roomy(rows)
        each = [_or_named(slot, roomy(index), index, _FREE) for index, slot in enumerate(each)]
    return [_optional(slot, index) for index, slot in enumerate(each)]


def shape_of(
    kind: str, terms: Sequence[Sequence[Reading]], *, known: Collection[int] = ()
) -> Shape:
    """Give the shape of the slots that these terms fit in.

    `known` are the terms that all candidates match: their slots are left unused.
    """
    compared = [
        reading
        for index, readings in enumerate(terms)
        for reading in readings
        if index not in known
    ]
    named = {each.register for each in compared if isinstance(each, RegisterReading)}
    climbs = kind == "addresses" and named != {"vrf"}
    within = Registers.HOMES if climbs else Registers.COLUMNS
    return Shape(
        size=next(size for size in SIZES if size >= len(terms)),
        registers=within if named else Registers.NONE,
        frees=kind == "addresses" and any(isinstance(each, FreeReading) for each in compared),
    )


def unused(indexes: Iterable[int]) -> dict[str, int]:
    """Give the parameters that leave slots out."""
    return {f"unused_{index}": 1 for index in indexes}


def values(kind: str, terms: Sequence[Sequence[Reading]]) -> dict[str, Any]:
    """Give the parameters of the slots for the readings of each term."""
    size = shape_of(kind, terms).size
    parameters: dict[str, Any] = {
        f"{name}_{index}": None for index in range(size) for name in _PLACES[kind]
    }
    parameters |= {f"unused_{index}": int(index >= len(terms)) for index in range(size)}
    for index, readings in enumerate(terms):
        for reading in readings:
            found = _VALUES[type(reading)](reading)
            parameters |= {
                f"{name}_{index}": value for name, value in found.items() if name in _PLACES[kind]
            }
    return parameters


def _within(kind: str, rows: FromClause, shape: Shape) -> Callable[[int], ColumnElement[bool]]:
    """Give the condition that a row is in the VRFs, the VLANs or the folders of a slot."""
    c = rows.c
    if kind == "registers":
        return lambda index: or_(*(one_of(c.id, f"{name}_{index}") for name in _IDS))
    if kind == "subnets":
        return lambda index: or_(
            one_of(c.vrf_id, f"vrfs_{index}"),
            one_of(c.vlan_id, f"referred_{index}"),
            one_of(c.section_id, f"referred_{index}"),
        )
    if shape.registers is Registers.COLUMNS:
        return lambda index: one_of(c.vrf_id, f"vrfs_{index}")
    marks = around_homes(rows)

    def within(index: int) -> ColumnElement[bool]:
        marked = or_(
            one_of(marks.c.vlan_id, f"referred_{index}"),
            one_of(marks.c.section_id, f"referred_{index}"),
        )
        homes = select(marks.c.home).where(marked)
        return or_(one_of(c.vrf_id, f"vrfs_{index}"), c.subnet_id.in_(homes))

    return within


def _roomy(rows: FromClause) -> Callable[[int], ColumnElement[bool]]:
    """Give the condition that the home of an address has as many free ones as a slot asks for.

    PERF: a look-up by its key for each home, as in `around_homes`.
    """
    homes = select(rows.c.subnet_id.label("home")).distinct().cte("homes")
    home = subnets.alias("roomy")

    def roomy(index: int) -> ColumnElement[bool]:
        is_roomy = (
            select(_has_free(home, index))
            .where(home.c.organization_id == own(), home.c.id == homes.c.home)
            .correlate(homes)
            .scalar_subquery()
        )
        named = given(f"least_{index}", BigInteger()).is_not(None)
        return and_(named, rows.c.subnet_id.in_(select(homes.c.home).where(is_roomy)))

    return roomy


def _or_named(slot: Slot, condition: ColumnElement[bool], index: int, names: Iterable[str]) -> Slot:
    """Have a slot match by another condition, too, which is asked for by parameters."""
    named = or_(*(given(f"{name}_{index}").is_not(None) for name in names))
    return Slot(or_(slot.condition, condition), case((named, 0), else_=slot.rank))


def _optional(slot: Slot, index: int) -> Slot:
    unused = given(f"unused_{index}", Integer()) == 1
    return Slot(or_(unused, slot.condition), case((unused, 0), else_=slot.rank))


def _address_slot(rows: FromClause, index: int) -> Slot:
    c = rows.c
    inside = c.ip.between(_bytes("first", index), _bytes("last", index))
    mac = and_(
        c.mac_address >= given(f"mac_first_{index}"), c.mac_address <= given(f"mac_last_{index}")
    )
    status = c.status == given(f"status_{index}")
    by_status = given(f"status_rank_{index}", Integer())
    return Slot(
        or_(inside, mac, status, _like(c.search_text, "like", index)),
        case(
            (or_(inside, mac), 0),
            (and_(status, by_status == _EQUALS), _EQUALS),
            (_like(c.search_text, "begins", index), _begun(c.search_text, index)),
            (status, by_status),
            else_=_CONTAINS,
        ),
    )


def _subnet_slot(rows: FromClause, index: int) -> Slot:
    c = rows.c
    first, last = _bytes("first", index), _bytes("last", index)
    prefix = given(f"prefix_{index}", Integer())
    itself = and_(c.first == _bytes("itself", index), c.prefix_length == prefix)
    inside = and_(c.first.between(first, last), c.last <= last)
    ip = _bytes("ip", index)
    around = and_(c.first <= ip, c.last >= ip)
    return Slot(
        or_(itself, inside, around, _has_free(rows, index), _like(c.search_text, "like", index)),
        case(
            (itself, 0),
            (around, given(f"ip_prefix_{index}", Integer()) - c.prefix_length),
            (inside, _INSIDE),
            (given(f"least_{index}", BigInteger()).is_not(None), 0),
            (_like(c.search_text, "begins", index), _begun(c.search_text, index)),
            else_=_CONTAINS,
        ),
    )


def _register_slot(rows: FromClause, index: int) -> Slot:
    text = rows.c.search_text
    rank = case((_like(text, "begins", index), _begun(text, index)), else_=_CONTAINS)
    return Slot(_like(text, "like", index), rank)


_SLOTS = {"addresses": _address_slot, "subnets": _subnet_slot, "registers": _register_slot}


def _has_free(rows: FromClause, index: int) -> ColumnElement[bool]:
    """Compare the free addresses; those of the largest networks count as `MOST_FREE`."""
    c = rows.c
    least, most = (given(f"{name}_{index}", BigInteger()) for name in ("least", "most"))
    is_ipv4 = func.length(c.first) == 5
    spare = case((is_ipv4, BITS[IPV4]), else_=BITS[IPV6]) - c.prefix_length
    edges = case((or_(c.is_pool, spare < 2), 0), (is_ipv4, 2), else_=1)
    one = sql_cast(literal(1, BigInteger()), BigInteger)
    total = case(
        (spare >= _SMALL_BITS, literal(MOST_FREE, BigInteger())),
        else_=one.bitwise_lshift(sql_cast(spare, Integer)) - edges,
    )
    return and_(
        least.is_not(None), total >= least, (total - used_within(rows)).between(least, most)
    )


def _begun(text: ColumnElement[Any], index: int) -> ColumnElement[int]:
    """Rank a text that begins with the term. PERF: most others are not compared a third time."""
    return case((_like(text, "equals", index), _EQUALS), else_=_BEGINS)


def _like(text: ColumnElement[Any], name: str, index: int) -> ColumnElement[bool]:
    return text.like(given(f"{name}_{index}"), escape="\\")


def _bytes(name: str, index: int) -> ColumnElement[Any]:
    return given(f"{name}_{index}", AddressBytes)


def _text_values(reading: TextReading) -> dict[str, Any]:
    pattern = reading.pattern
    return {
        "like": pattern.like,
        "equals": Pattern(pattern.text, pattern.tag, "equals").like,
        "begins": Pattern(pattern.text, pattern.tag, "begins").like,
    }


def _status_values(reading: StatusReading) -> dict[str, Any]:
    return {"status": reading.status, "status_rank": _HOWS[reading.how]}


def _host_values(reading: HostReading) -> dict[str, Any]:
    ip = to_bytes(reading.ip)
    return {
        "first": ip,
        "last": ip,
        "ip": ip,
        "ip_prefix": reading.network.prefix_length,
    }


def _place_values(reading: PlaceReading) -> dict[str, Any]:
    network = reading.network
    first = to_bytes(network.first)
    itself = {"itself": first, "prefix": network.prefix_length}
    if reading.field == "network":
        return itself
    return {**itself, "first": first, "last": to_bytes(network.last)}


def _mac_values(reading: MacReading) -> dict[str, Any]:
    return {"mac_first": reading.prefix, "mac_last": reading.last}


def _free_values(reading: FreeReading) -> dict[str, Any]:
    return {"least": reading.least, "most": reading.most}


def _register_values(reading: RegisterReading) -> dict[str, Any]:
    return {"vrfs" if reading.register == "vrf" else "referred": listed(reading.ids)}


_VALUES: dict[type, Callable[[Any], dict[str, Any]]] = {
    TextReading: _text_values,
    StatusReading: _status_values,
    HostReading: _host_values,
    PlaceReading: _place_values,
    MacReading: _mac_values,
    FreeReading: _free_values,
    RegisterReading: _register_values,
}
