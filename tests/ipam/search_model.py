"""What a search must find, by a plain look at every record."""

from __future__ import annotations

import ipaddress
import unicodedata
from dataclasses import dataclass
from typing import Any

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

ADDRESS_TEXTS = ("hostname", "owner", "description", "status")
SUBNET_TEXTS = ("name", "description")
EQUALS, BEGINS, CONTAINS = range(3)


@dataclass(frozen=True, slots=True)
class Sought:
    """Be one term: how it is typed, and what it asks for.

    Exactly one of the others is given: a text (in `within` only, if that is named), a network (an
    address is one, too), the digits of a MAC address, a status, ends of a number of free ones, or
    a register and what something in it is called there.
    """

    typed: str
    text: str | None = None
    within: str | None = None
    network: IPNetwork | None = None
    digits: str | None = None
    status: str | None = None
    free: range | None = None
    called: tuple[str, str] | None = None

    @property
    def is_of_hosts(self) -> bool:
        """Tell whether it names what addresses alone have."""
        return bool(self.within in {"hostname", "owner"} or self.status or self.digits)


REGISTERS = {"vlans": "vlan_id", "vrfs": "vrf_id", "sections": "section_id"}


@dataclass(slots=True)
class Records:
    """Be an organization's records, as the API gave them."""

    subnets: list[dict[str, Any]]
    addresses: list[dict[str, Any]]
    registers: dict[str, list[dict[str, Any]]]

    def matching(self, kind: str, terms: list[Sought]) -> list[dict[str, Any]]:
        """Give the records of a kind that match all terms."""
        if kind == "subnets":
            return [each for each in self.subnets if all(self.has(each, term) for term in terms)]
        if kind == "addresses":
            if any(each.free for each in terms) and not any(each.is_of_hosts for each in terms):
                return []
            return [each for each in self.addresses if all(self.hosts(each, t) for t in terms)]
        return [
            each
            for each in self.registers[kind]
            if all(self.is_registered(kind, each, term) for term in terms)
        ]

    def has(self, subnet: dict[str, Any], term: Sought) -> bool:
        """Tell whether a subnet matches a term."""
        network = ipaddress.ip_network(subnet["network"])
        if term.text is not None:
            return text_rank(subnet, term, SUBNET_TEXTS) is not None
        if term.network is not None:
            single = term.network.num_addresses == 1 and ":" not in term.typed.partition(".")[0]
            return inside(network, term.network) or (single and inside(term.network, network))
        if term.free is not None:
            return self.free_of(subnet) in term.free
        return term.called is not None and self.refers(subnet, term.called)

    def hosts(self, address: dict[str, Any], term: Sought) -> bool:
        """Tell whether an address matches a term."""
        if term.text is not None:
            return text_rank(address, term, ADDRESS_TEXTS) is not None
        if term.network is not None:
            return ipaddress.ip_address(address["ip"]) in term.network
        if term.digits is not None:
            mac = (address["mac_address"] or "").replace(":", "").lower()
            return bool(mac) and mac.startswith(term.digits)
        if term.called is not None:
            return any(
                is_in(address, subnet) and self.refers(subnet, term.called)
                for subnet in self.subnets
            )
        if term.free is not None:
            [home] = (each for each in self.subnets if each["id"] == address["subnet_id"])
            return self.free_of(home) in term.free
        return term.status is not None and address["status"] == term.status

    def free_of(self, subnet: dict[str, Any]) -> int:
        """Count the free addresses of a subnet."""
        used = sum(is_in(each, subnet) for each in self.addresses)
        return capacity(ipaddress.ip_network(subnet["network"])) - used

    def is_registered(self, kind: str, record: dict[str, Any], term: Sought) -> bool:
        """Tell whether a VLAN, a VRF or a folder matches a term."""
        if term.called is not None:
            register, name = term.called
            return kind == register and record["id"] in self.meant(register, name)
        if term.text is None:
            return False
        texts = {name: str(value) for name, value in record.items() if value is not None}
        names = [name for name in ("number", "name", "rd", "description") if name in texts]
        return text_rank(texts, term, tuple(names)) is not None

    def refers(self, subnet: dict[str, Any], called: tuple[str, str]) -> bool:
        """Tell whether a subnet is in something that is called so."""
        register, name = called
        return (subnet[REGISTERS[register]] or "") in self.meant(register, name)

    def meant(self, register: str, name: str) -> set[str]:
        """Give the ids of those that are called so, or else have it in their name."""
        sought = folded(name)
        records = self.registers[register]
        if name.isdecimal():
            return {each["id"] for each in records if each["number"] == int(name)}
        names = {
            each["id"]: [folded(each[field]) for field in ("name", "rd") if each.get(field)]
            for each in records
        }
        exact = {id_ for id_, called in names.items() if sought in called}
        if not exact and (register, sought) == ("vrfs", "global"):
            return {""}
        return exact or {id_ for id_, texts in names.items() if any(sought in t for t in texts)}


def is_in(address: dict[str, Any], subnet: dict[str, Any]) -> bool:
    """Tell whether an address is in a subnet."""
    network = ipaddress.ip_network(subnet["network"])
    return address["vrf_id"] == subnet["vrf_id"] and ipaddress.ip_address(address["ip"]) in network


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
