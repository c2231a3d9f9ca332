"""The grammar of searches: terms separated by spaces, all of which a record must match.

    term  = [field ":"] value
    value = '"' anything but a quote '"' | anything but spaces

Without a field the value is a text, and what else it can be read as: an address, a network in CIDR
notation or the beginning of one, a MAC address. In quotes it is a text alone. What is before the
colon is a field only if there is one of that name: ``fe80::1`` is an address.

VLANs, VRFs and folders are known to the database alone: `ipcraft_ipam.search.lookup` tells which
ones are meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ipcraft.plugin import Invalid, did_you_mean
from ipcraft_ipam.networks import BITS, IPV4, IPV6, Network, enclosing, parse_address
from ipcraft_ipam.search.patterns import How
from ipcraft_ipam.search.readings import (
    FreeReading,
    HostReading,
    MacReading,
    PlaceReading,
    RegisterReading,
    StatusReading,
    TextReading,
)
from ipcraft_ipam.searchable import DEFAULT_STATUS, fold

LONGEST = 1_000
"""Characters of a search."""

MOST_TERMS = 16
MOST_FREE = 1 << 61
"""The largest number of free addresses that is compared with; what has more has more than this."""

Reading = (
    TextReading
    | StatusReading
    | HostReading
    | PlaceReading
    | MacReading
    | FreeReading
    | RegisterReading
)


@dataclass(frozen=True, slots=True)
class Term:
    """Be a term as it was typed and what it may mean; `hint` names a field that may be meant."""

    text: str
    readings: tuple[Reading, ...]
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Value:
    """Be what stands behind a field's colon, and whether in quotes."""

    text: str
    is_quoted: bool


_TERM = re.compile(r'(?:(?P<field>[A-Za-z_]+):)?(?:"(?P<quoted>[^"]*)(?:"|$)|(?P<bare>\S+))?')
_SPACES = re.compile(r"\s+")
_NETWORK = re.compile(r"(?P<base>[0-9A-Fa-f.:]+)/(?P<length>[0-9]{1,3})")
_OCTET = "(?:0|[1-9][0-9]{0,2})"
_IPV4_BEGINNING = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{0,2}}\.?")
_GROUP = "[0-9A-Fa-f]{1,4}"
_IPV6_BEGINNING = re.compile(rf"{_GROUP}(?::{_GROUP}){{0,6}}:?")
_MAC = re.compile(
    r"[0-9a-f]{2}(?P<mark>[:-])[0-9a-f]{2}(?:(?P=mark)[0-9a-f]{2}){0,4}(?P=mark)?"
    r"|[0-9a-f]{4}(?:\.[0-9a-f]{4}){1,2}\.?"
    r"|[0-9a-f]{12}",
    re.IGNORECASE,
)
_MAC_DIGITS = re.compile(r"[0-9A-F]{1,12}")
_FREE = re.compile(r"(?P<sign>>=|<=|>|<|=)?(?P<number>[0-9]{1,40})")


def parse(query: str, *, statuses: tuple[str, ...]) -> tuple[Term, ...]:
    """Read a search. Raises `Invalid` saying what is wrong with it.

    `statuses` are those an address may have.
    """
    if len(query) > LONGEST:
        raise _invalid(f"a search has at most {LONGEST:,} characters, this one has {len(query):,}")
    if "\0" in query:
        raise _invalid("a search cannot contain a NUL character")
    terms = tuple(_terms(query, statuses))
    if not terms:
        raise _invalid("say what to search for")
    if len(terms) > MOST_TERMS:
        raise _invalid(f"a search has at most {MOST_TERMS} terms, this one has {len(terms):,}")
    return terms


def _terms(query: str, statuses: tuple[str, ...]) -> Iterator[Term]:
    start = 0
    while start < len(query):
        space = _SPACES.match(query, start)
        if space:
            start = space.end()
            continue
        found = _TERM.match(query, start)
        assert found is not None, "any text begins with a term"
        field = found["field"]
        if field is not None and field.lower() not in FIELDS:
            word = re.compile(r"\S+").match(query, start)
            assert word is not None, "it begins with the field"
            start = word.end()
            near = did_you_mean(field.lower(), FIELDS)
            yield Term(word[0], _plain(word[0], statuses), near.removeprefix("; ") or None)
            continue
        start = found.end()
        if field is not None:
            value = Value(found["quoted"] or found["bare"] or "", found["quoted"] is not None)
            yield Term(found[0], _of_field(field.lower(), value, statuses))
        elif fold(found["quoted"] or found["bare"] or "").strip():
            read = _plain if found["quoted"] is None else _as_text
            yield Term(found[0], read(found["quoted"] or found["bare"], statuses))


def _plain(text: str, statuses: tuple[str, ...]) -> tuple[Reading, ...]:
    located = [each for each in (_place(text), _mac(text)) if each is not None]
    return (*located, *_as_text(text, statuses))


def _as_text(text: str, statuses: tuple[str, ...]) -> tuple[Reading, ...]:
    folded = fold(text)
    how = _how(folded, DEFAULT_STATUS)
    status = (StatusReading(DEFAULT_STATUS, how),) if how and DEFAULT_STATUS in statuses else ()
    return (TextReading(folded), *status)


def _how(text: str, whole: str) -> How | None:
    """Tell how a text is in another one, the best way first."""
    if text == whole:
        return "equals"
    if whole.startswith(text):
        return "begins"
    return "contains" if text in whole else None


def _place(text: str) -> HostReading | PlaceReading | None:
    """Read an address, a network or the beginning of an address."""
    address = _address(text)
    if address is not None:
        return HostReading(address)
    network = _network(text) or _beginning(text)
    return PlaceReading(network) if network else None


def _address(text: str) -> int | None:
    try:
        return parse_address(text)
    except Invalid:
        return None


def _network(text: str) -> Network | None:
    """Read a network; host bits are as good as none."""
    found = _NETWORK.fullmatch(text)
    base = _address(found["base"]) if found else None
    if found is None or base is None:
        return None
    length = int(found["length"])
    return enclosing(base, length) if length <= BITS[Network(base, 0).family] else None


def _beginning(text: str) -> Network | None:
    """Read the first octets or groups of an address as the network of all that begin so."""
    if "." in text and _IPV4_BEGINNING.fullmatch(text):
        octets = [int(octet) for octet in text.rstrip(".").split(".")]
        if max(octets) > 255:
            return None
        packed = bytes([IPV4, *octets, *[0] * (4 - len(octets))])
        return Network(int.from_bytes(packed, "big"), 8 * len(octets))
    if ":" in text and _IPV6_BEGINNING.fullmatch(text):
        groups = [int(group, 16) for group in text.rstrip(":").split(":")]
        first: int = IPV6
        for group in [*groups, *[0] * (8 - len(groups))]:
            first = first << 16 | group
        return Network(first, 16 * len(groups))
    return None


def _mac(text: str) -> MacReading | None:
    """Read a MAC address or its beginning, in any usual notation."""
    return _mac_prefix(text) if _MAC.fullmatch(text) else None


def _mac_prefix(text: str, field: str | None = None) -> MacReading:
    digits = re.sub("[^0-9A-F]", "", text.upper())
    pairs = (digits[start : start + 2] for start in range(0, len(digits), 2))
    return MacReading(":".join(pairs), field)


def _of_field(field: str, value: Value, statuses: tuple[str, ...]) -> tuple[Reading, ...]:
    if not value.text.strip():
        raise _invalid(f"say what is looked for after {field}:")
    if field in REGISTERS:
        return (REGISTERS[field](value),)
    return (_VALUES[field](field, value.text, statuses),)


def _text_field(field: str, value: str, statuses: tuple[str, ...]) -> Reading:
    return TextReading(fold(value), field)


def _status_field(field: str, value: str, statuses: tuple[str, ...]) -> Reading:
    status = fold(value)
    if status not in statuses:
        raise _invalid(
            f"status: must be one of {', '.join(statuses)}{did_you_mean(status, statuses)}"
        )
    if status == DEFAULT_STATUS:
        return StatusReading(status, "equals")
    return TextReading(status, "status", "equals")


def _place_field(field: str, value: str, statuses: tuple[str, ...]) -> Reading:
    place = _place(value)
    if place is None or (field == "network" and "/" not in value):
        example = "10.0.1.7 or 10.0.0.0/8" if field == "ip" else "10.0.0.0/8"
        raise _invalid(f"{field}: {_shown(value)} must be written like {example}")
    return PlaceReading(place.network, field)


def _mac_field(field: str, value: str, statuses: tuple[str, ...]) -> Reading:
    if not _MAC_DIGITS.fullmatch(re.sub("[.:-]", "", value.upper())):
        raise _invalid(f"mac: {_shown(value)} must be written like 00:1A:2B:3C:4D:5E")
    return _mac_prefix(value, field)


def _free_field(field: str, value: str, statuses: tuple[str, ...]) -> Reading:
    found = _FREE.fullmatch(value)
    if found is None:
        raise _invalid(f"free: {_shown(value)} must be written like 50, >50, >=50, <50 or <=50")
    number = min(int(found["number"]), MOST_FREE - 1)
    ends = {
        ">": (number + 1, MOST_FREE * 2),
        ">=": (number, MOST_FREE * 2),
        "<": (-1, number - 1),
        "<=": (-1, number),
    }
    least, most = ends.get(found["sign"] or "=", (number, number))
    return FreeReading(least, most, value)


def _vlan_field(value: Value) -> RegisterReading:
    """Read a VLAN's number; in quotes, or if it is none, its name."""
    is_number = value.text.isdecimal() and value.text.isascii() and not value.is_quoted
    if is_number:
        return RegisterReading("vlan", str(int(value.text)), ("number",))
    return RegisterReading("vlan", fold(value.text), ("name",))


def _vrf_field(value: Value) -> RegisterReading:
    return RegisterReading("vrf", fold(value.text), ("name", "rd"))


def _section_field(value: Value) -> RegisterReading:
    return RegisterReading("section", fold(value.text), ("name",))


_VALUES: Mapping[str, Callable[[str, str, tuple[str, ...]], Reading]] = {
    "name": _text_field,
    "hostname": _text_field,
    "owner": _text_field,
    "description": _text_field,
    "status": _status_field,
    "mac": _mac_field,
    "ip": _place_field,
    "network": _place_field,
    "in": _place_field,
    "free": _free_field,
}
REGISTERS: Mapping[str, Callable[[Value], RegisterReading]] = {
    "vlan": _vlan_field,
    "vrf": _vrf_field,
    "section": _section_field,
    "folder": _section_field,
}
FIELDS = (*_VALUES, *REGISTERS)
"""The fields a term may name."""


def _shown(value: str) -> str:
    return repr(value if len(value) <= 64 else f"{value[:61]}...")


def _invalid(message: str) -> Invalid:
    return Invalid.field("q", message, code="invalid_search")
