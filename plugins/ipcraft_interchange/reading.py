"""Reading the texts of an entry: networks, addresses, numbers and the lengths of texts."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Mapping
from typing import Any

from ipcraft.plugin import Invalid, did_you_mean
from ipcraft_interchange.entries import Kind
from ipcraft_ipam import (
    LONGEST_LABEL,
    LONGEST_TEXT,
    STATUSES,
    Network,
    enclosing,
    from_bytes,
    parse_address,
    parse_mac_address,
    parse_network,
    parse_route_distinguisher,
    to_bytes,
)

_TRUE = {"true", "yes", "y", "1", "x", "on", "t"}
_FALSE = {"false", "no", "n", "0", "", "off", "f"}
_INTEGER = re.compile(r"[+-]?[0-9]{1,10}")
_LARGEST = 2**31 - 1
_HIGHEST_VLAN = 4094


def read_values(kind: Kind, values: Mapping[str, Any]) -> dict[str, Any]:
    """Read what is no address and no reference of an entry. Raises `Invalid` naming the field."""
    readers = READERS[kind]
    return {name: readers[name](name, value) for name, value in values.items() if name in readers}


def read_network(text: object) -> Network:
    """Read a network, its mask as a length or dotted. Raises `Invalid`."""
    if not isinstance(text, str):
        raise Invalid.field("network", f"{text!r:.64} is no network", code="invalid_network")
    base, _, mask = text.partition("/")
    if "." in mask:
        text = f"{base.strip()}/{_length_of(mask.strip(), base)}"
    return parse_network(text)


def read_ip(text: object) -> tuple[bytes, int | None]:
    """Read an address and, where it has one, its prefix length. Raises `Invalid`."""
    if not isinstance(text, str):
        raise Invalid.field("ip", f"{text!r:.64} is no address", code="invalid_address")
    base, slash, mask = text.partition("/")
    try:
        # PERF: 0.3 us where the ipaddress module takes 3.
        stored = b"\x04" + socket.inet_pton(socket.AF_INET, base)
    except (OSError, ValueError):
        stored = to_bytes(parse_address(base))
    if not slash:
        return stored, None
    length = _length_of(mask, base) if "." in mask else mask
    if not length.isascii() or not length.isdigit() or int(length[:4]) > 8 * (len(stored) - 1):
        raise Invalid.field(
            "ip", f"{text[:64]!r} has no valid prefix length", code="invalid_address"
        )
    return stored, int(length)


def meant_network(ip: bytes, prefix_length: int) -> Network:
    """Give the network that an address with a prefix length is in."""
    return enclosing(from_bytes(ip), prefix_length)


def label_of(kind: Kind, values: Mapping[str, Any]) -> str:
    """Give the words for an entry that has a name."""
    if kind == "vlan":
        return f"{values.get('number', '')} {values.get('name') or ''}".strip()[:LONGEST_LABEL]
    return str(values.get("name", ""))[:LONGEST_LABEL]


def _length_of(mask: str, base: str) -> str:
    try:
        value = int(ipaddress.IPv4Address(mask))
    except ValueError:
        value = 1
    hosts = value ^ 0xFFFFFFFF
    if hosts & (hosts + 1):
        raise Invalid.field(
            "network", f"{mask[:64]!r} is no network mask of {base[:64]!r}", code="invalid_network"
        )
    return str(32 - hosts.bit_length())


def _text(name: str, value: object, most: int) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise Invalid.field(name, f"{name} must be text, not {value!r:.64}")
    if len(value) > most:
        raise Invalid.field(name, f"{name} is longer than the maximum length {most}")
    if (not value.isascii() and not _is_text(value)) or "\0" in value:
        raise Invalid.field(name, f"{name} has characters that are no text")
    return value


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _label(name: str, value: object) -> str | None:
    return _text(name, value, LONGEST_LABEL)


def _name(name: str, value: object) -> str:
    text = _text(name, value, LONGEST_LABEL)
    if not text:
        raise Invalid.field(name, f"{name} is required")
    return text


def _description(name: str, value: object) -> str | None:
    return _text(name, value, LONGEST_TEXT)


def _mac_address(name: str, value: object) -> str | None:
    text = _text(name, value, LONGEST_LABEL)
    return None if text is None else parse_mac_address(text)


def _status(name: str, value: object) -> str:
    text = value.lower() if isinstance(value, str) else value
    if text not in STATUSES:
        guess = did_you_mean(str(text), STATUSES)
        raise Invalid.field(
            name, f"status must be one of {', '.join(STATUSES)}, not {value!r:.64}{guess}"
        )
    return str(text)


def _rd(name: str, value: object) -> str | None:
    text = _text(name, value, LONGEST_LABEL)
    return None if text is None else parse_route_distinguisher(text)


def _integer(name: str, value: object, least: int, most: int) -> int:
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise Invalid.field(
            name, f"{name} must be an integer from {least} to {most}, not {value!r:.64}"
        )
    return value


def _sort_order(name: str, value: object) -> int:
    return _integer(name, value, -_LARGEST - 1, _LARGEST)


def _number(name: str, value: object) -> int:
    return _integer(name, value, 1, _HIGHEST_VLAN)


def _gateway(name: str, value: object) -> str | None:
    """Read an address, and leave it as text: numbers of IPv6 are too large for JSON."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise Invalid.field(name, f"{value!r:.64} is no address", code="invalid_address")
    parse_address(value, field=name)
    return value


def _is_pool(name: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise Invalid.field(name, f"{name} must be true or false, not {value!r:.64}")


def _parent(name: str, value: object) -> str:
    return str(read_network(value))


READERS: Mapping[Kind, Mapping[str, Callable[[str, object], Any]]] = {
    "folder": {"name": _name, "description": _description, "sort_order": _sort_order},
    "vrf": {"name": _name, "rd": _rd, "description": _description},
    "vlan": {"number": _number, "name": _name, "description": _description},
    "subnet": {
        "name": _label,
        "description": _description,
        "gateway": _gateway,
        "is_pool": _is_pool,
        "parent": _parent,
    },
    "address": {
        "hostname": _label,
        "mac_address": _mac_address,
        "description": _description,
        "status": _status,
        "owner": _label,
    },
}
"""How each field is read."""
