"""Client addresses: which one a request comes from, whatever its headers claim.

Source: https://adam-p.ca/blog/2022/03/x-forwarded-for/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import falcon

from ipcraft.config import NetworkAddresses

Address = IPv4Address | IPv6Address

_HEADER = "X-Forwarded-For"
_SITE = 64
"""Prefix length of the smallest IPv6 network that is given to one client (RFC 6177)."""


class ClientAddresses:
    """Falcon middleware: set ``req.context.client_address``.

    That is the socket's peer. A peer in the `trusted` networks is a proxy: then the right end
    of ``X-Forwarded-For`` counts, which that proxy has written, and so on to the left while
    the address found is a trusted proxy's too.
    """

    __slots__ = ("_trusted",)

    def __init__(self, trusted: Sequence[NetworkAddresses] = ()) -> None:
        self._trusted = tuple(trusted)

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Find the address out."""
        if self._trusted:
            req.context.client_address = self._find(req)

    def _find(self, req: falcon.Request) -> str:
        peer: str = req.context.client_address
        address = parsed(peer)
        if address is None or not self._trusts(address):
            return peer
        # APPSEC: what stands left of an address that is not trusted, or of what is no
        # address, anybody may have written.
        for hop in _from_the_right(req.get_header(_HEADER)):
            found = parsed(_without_port(hop))
            if found is None:
                break
            address = found
            if not self._trusts(address):
                break
        return str(address)

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


def parsed(text: str) -> Address | None:
    """Read an address; one of IPv4 in IPv6's clothes is one of IPv4. None for anything else."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def client_network(text: str) -> str:
    """Give the part of the network that is one client: an IPv4 address, the /64 around an IPv6 one.

    >>> client_network("203.0.113.9"), client_network("2001:db8::1:2:3:4")
    ('203.0.113.9', '2001:db8::/64')
    """
    address = parsed(text)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, _SITE), strict=False))
    return text if address is None else str(address)


def _from_the_right(header: str | None) -> Iterator[str]:
    while header:
        header, _, hop = header.rpartition(",")
        yield hop.strip()


def _without_port(hop: str) -> str:
    """Take the port away that some proxies write behind the address."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop
