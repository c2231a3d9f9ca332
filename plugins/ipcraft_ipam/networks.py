"""Networks and addresses as plain numbers, and the bytes they are stored as.

An address is stored as one family byte (4 or 6) followed by its 4 or 16 bytes, so that the
order of the bytes is the order of the addresses, IPv4 before IPv6. In memory an address is the
integer of those bytes: the next address is one more, whatever the family.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from ipcraft.plugin import Invalid

Family = Literal[4, 6]

IPV4: Family = 4
IPV6: Family = 6
_IPV4_BITS, _IPV6_BITS = 32, 128
BITS: dict[int, int] = {IPV4: _IPV4_BITS, IPV6: _IPV6_BITS}
_IPV4_COMPATIBLE = bytes(12)
_PREFIX_LENGTH = re.compile("[0-9]{1,3}")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Be the addresses from `first` to `last`, both included."""

    first: int
    last: int

    @property
    def size(self) -> int:
        """Give the number of addresses."""
        return self.last - self.first + 1

    @property
    def host_bits(self) -> int:
        """Give the host bits of the largest network that fits in."""
        bits = self.size.bit_length() - 1
        aligned = -(-self.first >> bits) << bits
        return bits if aligned + (1 << bits) - 1 <= self.last else bits - 1

    def __contains__(self, address: int) -> bool:
        return self.first <= address <= self.last

    def covers(self, other: Span) -> bool:
        """Tell whether every address of the other is in this one."""
        return self.first <= other.first and other.last <= self.last

    def intersection(self, other: Span) -> Span | None:
        """Give the addresses that are in both, or None."""
        first, last = max(self.first, other.first), min(self.last, other.last)
        return Span(first, last) if first <= last else None


@dataclass(frozen=True, slots=True, order=True)
class Network:
    """Be a CIDR network: its first address and its prefix length."""

    first: int
    prefix_length: int

    @property
    def family(self) -> Family:
        """Give 4 or 6."""
        return _family(self.first)

    @property
    def size(self) -> int:
        """Give the number of addresses."""
        return 1 << (BITS[self.family] - self.prefix_length)

    @property
    def last(self) -> int:
        """Give the last address."""
        return self.first + self.size - 1

    @property
    def span(self) -> Span:
        """Give all addresses."""
        return Span(self.first, self.last)

    def usable(self, *, is_pool: bool) -> Span:
        """Give the addresses that may be assigned.

        IPv4 up to /30: all but network and broadcast address (RFC 1122); /31 both (RFC 3021).
        IPv6 up to /126: all but the subnet-router anycast address (RFC 4291, 2.6.1); /127 both
        (RFC 6164). Of a pool: every address.
        """
        return _usable(self, is_pool=is_pool)

    def capacity(self, *, is_pool: bool) -> int:
        """Give the number of addresses that may be assigned."""
        return capacity(self.family, self.prefix_length, is_pool=is_pool)

    def split(self, parts: int) -> Iterator[Network]:
        """Give the equal parts in order; their number is a power of two."""
        prefix_length = self.prefix_length + parts.bit_length() - 1
        step = self.size // parts
        for index in range(parts):
            yield Network(self.first + index * step, prefix_length)

    def __str__(self) -> str:
        return f"{format_address(self.first)}/{self.prefix_length}"


@lru_cache(maxsize=1024)  # PERF: asked of each address of a batch, and mostly of one network
def _usable(network: Network, *, is_pool: bool) -> Span:
    unusable = network.size - network.capacity(is_pool=is_pool)
    return Span(network.first + (unusable > 0), network.last - (unusable > 1))


def capacity(family: int, prefix_length: int, *, is_pool: bool) -> int:
    """Give the number of addresses that may be assigned in a network of a prefix length."""
    spare_bits = BITS[family] - prefix_length
    if is_pool or spare_bits < 2:
        return 1 << spare_bits
    return (1 << spare_bits) - (2 if family == IPV4 else 1)


def to_bytes(address: int) -> bytes:
    """Give an address as it is stored; the place below the lowest of a family sorts below it."""
    return address.to_bytes(5 if address < _BEYOND_5_BYTES else 17, "big")


def from_bytes(stored: bytes) -> int:
    """Give a stored address as a number."""
    return int.from_bytes(stored, "big")


@lru_cache(maxsize=64)  # PERF: a change tells its address three times
def format_address(address: int) -> str:
    """Write an address as people do: dotted, or as RFC 5952 says."""
    return format_bytes(to_bytes(address))


def format_bytes(stored: bytes) -> str:
    """Write a stored address as people do."""
    if stored[0] == IPV4:
        return socket.inet_ntoa(stored[1:])
    if stored[1:13] == _IPV4_COMPATIBLE:
        # The C library writes ::a00:1 as ::10.0.0.1, a notation that RFC 5952 (5) does not ask for.
        return str(ipaddress.IPv6Address(stored[1:]))
    return socket.inet_ntop(socket.AF_INET6, stored[1:])


def parse_address(text: str, *, field: str = "ip") -> int:
    """Read an address. Raises `Invalid` naming the field."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise Invalid.field(
            field, f"{_shown(text)} is not an IPv4 or IPv6 address", code="invalid_address"
        ) from None
    if "%" in text:
        raise Invalid.field(
            field,
            f"{_shown(text)} has a zone, which no address record keeps",
            code="invalid_address",
        )
    return _number(address)


def parse_network(text: str, *, field: str = "network") -> Network:
    """Read a network in CIDR notation. Raises `Invalid` naming the field.

    Host bits are refused, with the network that was probably meant.
    """
    base, slash, length = text.partition("/")
    if not slash:
        raise Invalid.field(
            field,
            f"{_shown(text)} has no prefix length: write it like 10.0.1.0/24",
            code="invalid_network",
        )
    first = parse_address(base, field=field)
    bits = BITS[_family(first)]
    if not _PREFIX_LENGTH.fullmatch(length) or int(length) > bits:
        raise Invalid.field(
            field,
            f"{_shown(text)} has no valid prefix length: "
            f"IPv{_family(first)} networks have one of 0 to {bits}",
            code="invalid_network",
        )
    meant = enclosing(first, int(length))
    if meant.first != first:
        raise Invalid.field(
            field, f"{_shown(text)} has host bits set: did you mean {meant}?", code="host_bits_set"
        )
    return meant


def enclosing(address: int, prefix_length: int) -> Network:
    """Give the network of this prefix length that contains the address."""
    spare_bits = BITS[_family(address)] - prefix_length
    return Network(address >> spare_bits << spare_bits, prefix_length)


def _family(address: int) -> Family:
    return IPV4 if address < _LOWEST_6 else IPV6


def _number(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> int:
    return int.from_bytes(bytes((address.version,)) + address.packed, "big")


def _shown(text: str) -> str:
    return repr(text if len(text) <= 64 else f"{text[:61]}...")


_LOWEST_6 = 6 << 128
_BEYOND_5_BYTES = 1 << 40
