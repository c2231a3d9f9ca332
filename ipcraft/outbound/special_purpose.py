"""Special-purpose addresses: which are globally reachable, and which hide another one.

The table is that of IANA, with what stands beside it in registries of their own. It is kept here
because the flags of the standard library's `ipaddress` miss some of it and differ between its
releases. An address is what the smallest network says that contains it.

Sources, as of 2025-10:

- https://www.iana.org/assignments/iana-ipv4-special-registry (RFC 6890)
- https://www.iana.org/assignments/iana-ipv6-special-registry (RFC 6890)
- https://www.iana.org/assignments/multicast-addresses
- https://www.iana.org/assignments/ipv6-address-space: global unicast is 2000::/3
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class SpecialNetwork:
    """Hold an entry of the registries. `reachable`: from anywhere, says the registry."""

    network: IPv4Network | IPv6Network
    name: str
    source: str
    reachable: bool


def _beyond_reach(network: str, name: str, source: str) -> SpecialNetwork:
    return SpecialNetwork(ip_network(network), name, source, reachable=False)


def _reachable(network: str, name: str, source: str) -> SpecialNetwork:
    return SpecialNetwork(ip_network(network), name, source, reachable=True)


# Where the registry says "N/A" for "Globally Reachable", we read no.
SPECIAL_NETWORKS = (
    _reachable("0.0.0.0/0", "public", "RFC 791"),
    _beyond_reach("0.0.0.0/8", "this network", "RFC 791, 3.2"),
    _beyond_reach("0.0.0.0/32", "unspecified", "RFC 1122, 3.2.1.3"),
    _beyond_reach("10.0.0.0/8", "private", "RFC 1918"),
    _beyond_reach("100.64.0.0/10", "shared address space", "RFC 6598"),
    _beyond_reach("127.0.0.0/8", "loopback", "RFC 1122, 3.2.1.3"),
    _beyond_reach("169.254.0.0/16", "link-local", "RFC 3927"),
    _beyond_reach("172.16.0.0/12", "private", "RFC 1918"),
    _beyond_reach("192.0.0.0/24", "IETF protocol assignments", "RFC 6890, 2.1"),
    _beyond_reach("192.0.0.0/29", "IPv4 service continuity", "RFC 7335"),
    _beyond_reach("192.0.0.8/32", "IPv4 dummy address", "RFC 7600"),
    _reachable("192.0.0.9/32", "port control protocol anycast", "RFC 7723"),
    _reachable("192.0.0.10/32", "TURN anycast", "RFC 8155"),
    _beyond_reach("192.0.0.170/32", "NAT64/DNS64 discovery", "RFC 7050, 2.2"),
    _beyond_reach("192.0.0.171/32", "NAT64/DNS64 discovery", "RFC 7050, 2.2"),
    _beyond_reach("192.0.2.0/24", "documentation", "RFC 5737"),
    _reachable("192.31.196.0/24", "AS112-v4", "RFC 7535"),
    _reachable("192.52.193.0/24", "AMT", "RFC 7450"),
    _beyond_reach("192.88.99.0/24", "deprecated 6to4 relay anycast", "RFC 7526"),
    _beyond_reach("192.88.99.2/32", "6a44 relay anycast", "RFC 6751"),
    _beyond_reach("192.168.0.0/16", "private", "RFC 1918"),
    _reachable("192.175.48.0/24", "direct delegation AS112 service", "RFC 7534"),
    _beyond_reach("198.18.0.0/15", "benchmarking", "RFC 2544"),
    _beyond_reach("198.51.100.0/24", "documentation", "RFC 5737"),
    _beyond_reach("203.0.113.0/24", "documentation", "RFC 5737"),
    _beyond_reach("224.0.0.0/4", "multicast", "RFC 1112, 4"),
    _beyond_reach("240.0.0.0/4", "reserved", "RFC 1112, 4"),
    _beyond_reach("255.255.255.255/32", "limited broadcast", "RFC 8190"),
    # Taken from public space for what a virtual machine of Azure asks its host:
    # https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
    _beyond_reach("168.63.129.16/32", "the host of a virtual machine", "Microsoft"),
    _beyond_reach("::/0", "reserved", "RFC 4291"),
    _reachable("2000::/3", "public", "RFC 4291, 2.4"),
    _beyond_reach("::/96", "IPv4-compatible, deprecated", "RFC 4291, 2.5.5.1"),
    _beyond_reach("::/128", "unspecified", "RFC 4291, 2.5.2"),
    _beyond_reach("::1/128", "loopback", "RFC 4291, 2.5.3"),
    _beyond_reach("::ffff:0:0/96", "IPv4-mapped", "RFC 4291, 2.5.5.2"),
    _beyond_reach("::ffff:0:0:0/96", "IPv4-translated, deprecated", "RFC 2765, 2.1"),
    _reachable("64:ff9b::/96", "IPv4/IPv6 translation", "RFC 6052"),
    _beyond_reach("64:ff9b:1::/48", "local IPv4/IPv6 translation", "RFC 8215"),
    _beyond_reach("100::/64", "discard-only", "RFC 6666"),
    _beyond_reach("100:0:0:1::/64", "dummy prefix", "RFC 9780"),
    _beyond_reach("2001::/23", "IETF protocol assignments", "RFC 2928"),
    _beyond_reach("2001::/32", "Teredo", "RFC 4380"),
    _reachable("2001:1::1/128", "port control protocol anycast", "RFC 7723"),
    _reachable("2001:1::2/128", "TURN anycast", "RFC 8155"),
    _reachable("2001:1::3/128", "DNS-SD service registration anycast", "RFC 9665"),
    _beyond_reach("2001:2::/48", "benchmarking", "RFC 5180"),
    _reachable("2001:3::/32", "AMT", "RFC 7450"),
    _reachable("2001:4:112::/48", "AS112-v6", "RFC 7535"),
    _beyond_reach("2001:10::/28", "deprecated ORCHID", "RFC 4843"),
    _reachable("2001:20::/28", "ORCHIDv2", "RFC 7343"),
    _reachable("2001:30::/28", "drone remote ID entity tags", "RFC 9374"),
    _beyond_reach("2001:db8::/32", "documentation", "RFC 3849"),
    _beyond_reach("2002::/16", "6to4", "RFC 3056"),
    _reachable("2620:4f:8000::/48", "direct delegation AS112 service", "RFC 7534"),
    _beyond_reach("3fff::/20", "documentation", "RFC 9637"),
    _beyond_reach("5f00::/16", "segment routing SIDs", "RFC 9602"),
    _beyond_reach("fc00::/7", "unique local", "RFC 4193"),
    _beyond_reach("fe80::/10", "link-local", "RFC 4291, 2.5.6"),
    _beyond_reach("fec0::/10", "site-local, deprecated", "RFC 3879"),
    _beyond_reach("ff00::/8", "multicast", "RFC 4291, 2.7"),
)
"""The registries' entries, and beneath them all that is in no registry."""

_COMPATIBLE = IPv6Network("::/96")
_MAPPED = IPv6Network("::ffff:0:0/96")
_TRANSLATED = IPv6Network("::ffff:0:0:0/96")
_TEREDO = IPv6Network("2001::/32")
_6TO4 = IPv6Network("2002::/16")
_NAT64 = IPv6Network("64:ff9b::/96")
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")
_LAST_32_BITS = 2**32 - 1
_THIS_NETWORK = IPv4Network("0.0.0.0/8")
_ISATAP = 0x0000_5EFE
_ISATAP_MASK = 0xFCFF_FFFF
"""All but the universal and the group bit of an interface identifier (RFC 5214, 6.1)."""


def special_network(address: Address) -> SpecialNetwork:
    """Give the smallest network of the table that the address is in.

    >>> special_network(IPv4Address("192.0.0.9")).name
    'port control protocol anycast'
    """
    number = int(address)
    table = _IPV4 if isinstance(address, IPv4Address) else _IPV6
    return next(entry for mask, first, entry in table if number & mask == first)


def plain(address: Address) -> Address:
    """Give the IPv4 address that an IPv4-mapped one is another spelling of; others as they are.

    >>> plain(IPv6Address("::ffff:10.0.0.1"))
    IPv4Address('10.0.0.1')
    """
    if isinstance(address, IPv6Address) and address in _MAPPED:
        return _last_32_bits(address)
    return address


def embedded(address: Address) -> tuple[IPv4Address, ...]:
    """Give the IPv4 addresses to which something on the way may pass on what is sent.

    Of every kind: compatible, translated, 6to4, Teredo (server and client), NAT64, ISATAP.

    >>> embedded(IPv6Address("64:ff9b::10.0.0.1"))
    (IPv4Address('10.0.0.1'),)
    """
    if isinstance(address, IPv4Address):
        return ()
    return tuple(dict.fromkeys(_embedded(address)))


def _embedded(address: IPv6Address) -> Iterator[IPv4Address]:
    number = int(address)
    if any(address in each for each in (_COMPATIBLE, _MAPPED, _TRANSLATED, _NAT64)):
        yield _last_32_bits(address)
    if address in _6TO4:
        yield IPv4Address(number >> 80 & _LAST_32_BITS)
    if address in _TEREDO:
        yield IPv4Address(number >> 64 & _LAST_32_BITS)
        yield IPv4Address(~number & _LAST_32_BITS)  # its bits are inverted (RFC 4380, 4)
    if address in _LOCAL_NAT64:
        yield from _locally_translated(number)
    if number >> 32 & _ISATAP_MASK == _ISATAP:
        yield _last_32_bits(address)


def _locally_translated(number: int) -> Iterator[IPv4Address]:
    """Give what a translator finds whose prefix is 48, 56, 64 or 96 bits long (RFC 6052, 2.2).

    Which it is we cannot know. What would be an address of this network is none.
    """
    joined = number >> 64 << 56 | number & 2**56 - 1  # bits 64 to 71 are left out
    readings = [joined >> 88 - length & _LAST_32_BITS for length in (48, 56, 64)]
    found = [IPv4Address(each) for each in (*readings, number & _LAST_32_BITS)]
    yield from [each for each in found if each not in _THIS_NETWORK] or found


def _last_32_bits(address: IPv6Address) -> IPv4Address:
    return IPv4Address(int(address) & _LAST_32_BITS)


def _table(version: int) -> tuple[tuple[int, int, SpecialNetwork], ...]:
    """Give mask, first address and entry of each network, the smaller ones first."""
    entries = [each for each in SPECIAL_NETWORKS if each.network.version == version]
    entries.sort(key=lambda each: each.network.prefixlen, reverse=True)
    return tuple(
        (int(each.network.netmask), int(each.network.network_address), each) for each in entries
    )


_IPV4 = _table(4)
_IPV6 = _table(6)
