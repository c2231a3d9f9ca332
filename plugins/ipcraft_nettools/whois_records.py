"""WHOIS records: what is certain in a text that was made for people.

Lines are split at their first colon and nothing else, and a bounded number of them: no pattern
runs over what a stranger's server says. A field that is missing, or said twice in different ways,
is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import (
    IPv4Address,
    IPv6Address,
    ip_address,
    ip_network,
    summarize_address_range,
)
from itertools import islice
from typing import TypedDict

from ipcraft.plugin import rfc3339

Address = IPv4Address | IPv6Address

_MOST_LINES = 2000
_LONGEST_LINE = 1000
_MOST_VALUES = 50
_MOST_RANGES = 64
_END = ">>>"
_NAME = "domain name"
_SINGLE = {
    "registrar": ("registrar",),
    "created_at": ("creation date",),
    "updated_at": ("updated date",),
    "expires_at": ("registry expiry date", "registrar registration expiration date"),
}
_LISTS = {"statuses": "domain status", "name_servers": "name server"}
_TIMES = ("created_at", "updated_at", "expires_at")
_RANGES = ("inetnum", "inet6num", "netrange")
_NETWORK = {"name": "netname", "country": "country", "organization": "organization"}

Fields = Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class _Span:
    """Hold the ends of a range of addresses, as a registry says them."""

    first: Address
    last: Address

    @property
    def size(self) -> int:
        return int(self.last) - int(self.first)

    def holds(self, address: Address) -> bool:
        same = self.first.version == self.last.version == address.version
        return same and int(self.first) <= int(address) <= int(self.last)

    def networks(self) -> list[str]:
        """Give the networks it is made of. PERF: up to 250, so for one span and not for each."""
        first = self.first
        if isinstance(first, IPv4Address):
            return [str(each) for each in summarize_address_range(first, IPv4Address(self.last))]
        return [str(each) for each in summarize_address_range(first, IPv6Address(self.last))]


class Parsed(TypedDict, total=False):
    """The fields that are certain: of a domain, or of the network around an address."""

    registrar: str
    created_at: str
    updated_at: str
    expires_at: str
    statuses: list[str]
    name_servers: list[str]
    networks: list[str]
    name: str
    country: str
    organization: str


def parse_domain(text: str, domain: str) -> Parsed:
    """Read a record in ICANN's format (RDDS), if it is this domain's."""
    fields = _fields(_lines(text))
    if [each.lower() for each in fields.get(_NAME, ())] != [domain]:
        return {}
    found = {name: _single(fields, keys) for name, keys in _SINGLE.items()}
    found |= {name: _time(found[name]) for name in _TIMES}
    lists = {name: _values(fields, key) for name, key in _LISTS.items()}
    return _known({**found, **lists})


def parse_network(text: str, address: Address) -> Parsed:
    """Read the smallest network of a registry's answer that the address is in."""
    blocks = map(_fields, _blocks(_lines(text)))
    ranges = ((_single(fields, _RANGES), fields) for fields in blocks)
    named = islice(((name, fields) for name, fields in ranges if name), _MOST_RANGES)
    around = [
        (span, fields)
        for name, fields in named
        if (span := _span(name)) is not None and span.holds(address)
    ]
    if not around:
        return {}
    span, fields = min(around, key=lambda each: each[0].size)
    texts = {name: _single(fields, (key,)) for name, key in _NETWORK.items()}
    return _known({"networks": span.networks()[:_MOST_VALUES], **texts})


def _lines(text: str) -> list[str]:
    return [line[:_LONGEST_LINE] for line in text.split("\n", _MOST_LINES)[:_MOST_LINES]]


def _blocks(lines: Iterable[str]) -> Iterator[list[str]]:
    block: list[str] = []
    for line in lines:
        if line.strip():
            block.append(line)
        elif block:
            yield block
            block = []
    yield block


def _fields(lines: Iterable[str]) -> Fields:
    """Give the values of each key; what follows the end of a record is advice."""
    fields: dict[str, list[str]] = {}
    for line in lines:
        if line.startswith(_END):
            break
        key, colon, value = line.partition(":")
        if colon and value.strip():
            fields.setdefault(key.strip().lower(), []).append(value.strip())
    return fields


def _single(fields: Fields, keys: Iterable[str]) -> str | None:
    """Give the value of the keys, if they have only one."""
    values = {value for key in keys for value in fields.get(key, ())}
    return values.pop() if len(values) == 1 else None


def _values(fields: Fields, key: str) -> list[str]:
    """Give the first word of each value: a status is followed by a link to what it means."""
    words = (value.split()[0].rstrip(".") for value in fields.get(key, ()))
    names = [each.lower() if key == _LISTS["name_servers"] else each for each in words]
    return list(dict.fromkeys(names))[:_MOST_VALUES]


def _time(text: str | None) -> str | None:
    try:
        time = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return rfc3339(int(time.timestamp())) if time.tzinfo is not None else None


def _span(text: str) -> _Span | None:
    """Read ``8.8.8.0 - 8.8.8.255`` or ``2001:db8::/32``; nothing that is neither."""
    first, dash, last = text.partition(" - ")
    try:
        if dash:
            return _Span(ip_address(first.strip()), ip_address(last.strip()))
        network = ip_network(first)
    except ValueError:
        return None
    return _Span(network[0], network[-1])


def _known(found: Mapping[str, object]) -> Parsed:
    return {name: value for name, value in found.items() if value}  # type: ignore[return-value] # of names above
