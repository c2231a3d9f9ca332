"""What a search must find, by a plain look at every record."""

from __future__ import annotations

import ipaddress
import unicodedata
from dataclasses import dataclass, field
from typing import Any

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

ADDRESS_TEXTS = ("hostname", "owner", "description", "status")
SUBNET_TEXTS = ("name", "description")
EQUALS, BEGINS, CONTAINS = range(3)


@dataclass(frozen=True, slots=True)
class Sought:
    """Be one term: how it is typed, and what it asks for.

    Exactly one of the others is given: a text (in `within` only, if that is named), a network (an
    address is one, too), the digits of a MAC address, a status, or ends of a number of free ones.
    """

    typed: str
    text: str | None = None
    within: str | None = None
    network: IPNetwork | None = None
    digits: str | None = None
    status: str | None = None
    free: range | None = None


@dataclass(slots=True)
class Records:
    """Be an organization's subnets and addresses, as the API gave them."""

    subnets: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    addresses: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def matching_addresses(self, terms: list[Sought]) -> list[dict[str, Any]]:
        """Give the addresses that match all terms."""
        return [each for each in self.addresses if all(has(each, term) for term in terms)]

    def matching_subnets(self, terms: list[Sought]) -> list[dict[str, Any]]:
        """Give the subnets that match all terms."""
        return [each for each in self.subnets if all(self.has(each, term) for term in terms)]

    def has(self, subnet: dict[str, Any], term: Sought) -> bool:
        """Tell whether a subnet matches a term."""
        network = ipaddress.ip_network(subnet["network"])
        if term.text is not None:
            return text_rank(subnet, term, SUBNET_TEXTS) is not None
        if term.network is not None:
            single = term.network.num_addresses == 1 and ":" not in term.typed.partition(".")[0]
            return inside(network, term.network) or (single and inside(term.network, network))
        if term.free is not None:
            used = sum(ipaddress.ip_address(each["ip"]) in network for each in self.addresses)
            return capacity(network) - used in term.free
        return False


def has(address: dict[str, Any], term: Sought) -> bool:
    """Tell whether an address matches a term."""
    if term.text is not None:
        return text_rank(address, term, ADDRESS_TEXTS) is not None
    if term.network is not None:
        return ipaddress.ip_address(address["ip"]) in term.network
    if term.digits is not None:
        mac = (address["mac_address"] or "").replace(":", "").lower()
        return bool(mac) and mac.startswith(term.digits)
    return term.status is not None and address["status"] == term.status


def text_rank(record: dict[str, Any], term: Sought, names: tuple[str, ...]) -> int | None:
    """Give the best way a text is in a field of the record, or None."""
    sought = folded(term.text or "")
    fields = [name for name in names if term.within in (None, name)]
    texts = [folded(record[name]) for name in fields if record[name]]
    ways = [
        EQUALS if text == sought else BEGINS if text.startswith(sought) else CONTAINS
        for text in texts
        if sought in text
    ]
    return min(ways, default=None)


def folded(text: str) -> str:
    """Give a text without regard to case, width and composition."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def inside(network: IPNetwork, other: IPNetwork) -> bool:
    """Tell whether a network is another one or in it."""
    if isinstance(network, ipaddress.IPv4Network) and isinstance(other, ipaddress.IPv4Network):
        return network.subnet_of(other)
    if isinstance(network, ipaddress.IPv6Network) and isinstance(other, ipaddress.IPv6Network):
        return network.subnet_of(other)
    return False


def capacity(network: IPNetwork) -> int:
    """Give the number of usable addresses of a subnet that is no pool."""
    if network.max_prefixlen - network.prefixlen < 2:
        return network.num_addresses
    return network.num_addresses - (2 if network.version == 4 else 1)
