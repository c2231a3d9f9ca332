"""What an inventory must look like: plain sets of the standard library's networks."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(slots=True)
class ModelSubnet:
    """Be a subnet of the model."""

    network: IPNetwork
    gateway: Address | None = None
    is_pool: bool = False

    def usable(self) -> list[Address]:
        """Give the addresses that may be assigned."""
        addresses = every(self.network)
        spare_bits = self.network.max_prefixlen - self.network.prefixlen
        if self.is_pool or spare_bits < 2:
            return addresses
        return addresses[1:-1] if self.network.version == 4 else addresses[1:]


@dataclass(slots=True)
class Model:
    """Be an inventory: subnets by network, and addresses."""

    subnets: dict[IPNetwork, ModelSubnet] = field(default_factory=dict)
    addresses: set[Address] = field(default_factory=set)

    def inside(self, network: IPNetwork) -> list[IPNetwork]:
        """Give the subnets properly inside a network."""
        return [each for each in self.subnets if contains(network, each) and each != network]

    def parent(self, network: IPNetwork) -> IPNetwork | None:
        """Give the smallest subnet around a network."""
        around = [each for each in self.subnets if contains(each, network) and each != network]
        return max(around, key=lambda each: each.prefixlen, default=None)

    def children(self, network: IPNetwork) -> list[IPNetwork]:
        """Give the subnets whose parent a network is."""
        return [each for each in self.subnets if self.parent(each) == network]

    def home(self, address: Address) -> IPNetwork | None:
        """Give the smallest subnet around an address."""
        around = [each for each in self.subnets if address in each]
        return max(around, key=lambda each: each.prefixlen, default=None)

    def used(self, network: IPNetwork) -> int:
        """Count the addresses in a network."""
        return sum(address in network for address in self.addresses)

    def at_home(self, network: IPNetwork) -> list[Address]:
        """Give the addresses whose home a network is."""
        return sorted_addresses(a for a in self.addresses if self.home(a) == network)

    def free(self, network: IPNetwork) -> list[Address]:
        """Give the free addresses of a subnet."""
        subnet = self.subnets[network]
        return [
            address
            for address in subnet.usable()
            if address not in self.addresses
            and address != subnet.gateway
            and self.home(address) == network
        ]

    def first_free_network(self, network: IPNetwork, prefix_length: int) -> IPNetwork | None:
        """Give the lowest network of a size with no child, address or gateway in it."""
        children = self.children(network)
        gateway = self.subnets[network].gateway
        for candidate in network.subnets(new_prefix=prefix_length):
            if (
                not any(candidate.overlaps(child) for child in children)
                and not any(address in candidate for address in self.addresses)
                and (gateway is None or gateway not in candidate)
            ):
                return candidate
        return None

    def may_create(self, subnet: ModelSubnet) -> bool:
        """Tell whether a subnet may be created."""
        network = subnet.network
        if network in self.subnets:
            return False
        if subnet.gateway is not None and subnet.gateway not in network:
            return False
        parent = self.parent(network)
        moving = [a for a in self.addresses if a in network and self.home(a) == parent]
        return all(address in subnet.usable() for address in moving)

    def may_assign(self, network: IPNetwork, address: Address) -> bool:
        """Tell whether an address may be assigned by way of a subnet."""
        home = self.home(address)
        return (
            address in network
            and home is not None
            and address not in self.addresses
            and address in self.subnets[home].usable()
        )

    def may_split(self, network: IPNetwork, parts: int) -> bool:
        """Tell whether a subnet may be split."""
        made = self.parts(network, parts)
        if not made:
            return False
        children = self.children(network)
        if any(child.prefixlen <= made[0].network.prefixlen for child in children):
            return False
        return all(
            address in part.usable()
            for address in self.at_home(network)
            for part in made
            if address in part.network
        )

    def parts(self, network: IPNetwork, parts: int) -> list[ModelSubnet]:
        """Give the parts of a subnet, or nothing when it does not split so."""
        bits = parts.bit_length() - 1
        if parts < 2 or parts != 1 << bits or network.prefixlen + bits > network.max_prefixlen:
            return []
        is_pool = self.subnets[network].is_pool
        return [ModelSubnet(part, is_pool=is_pool) for part in network.subnets(prefixlen_diff=bits)]

    def may_become(self, new: ModelSubnet) -> bool:
        """Tell whether a subnet may get another gateway or become a pool, or none."""
        if new.gateway is not None and new.gateway not in new.network:
            return False
        return all(address in new.usable() for address in self.at_home(new.network))

    def remove(self, network: IPNetwork) -> None:
        """Delete a subnet with everything in it."""
        for each in [network, *self.inside(network)]:
            del self.subnets[each]
        self.addresses = {address for address in self.addresses if address not in network}


def contains(outer: IPNetwork, inner: IPNetwork) -> bool:
    """Tell whether a network is in another one, or is it."""
    return outer.version == inner.version and inner.subnet_of(outer)  # type: ignore[arg-type]


def every(network: IPNetwork) -> list[Address]:
    """Give all addresses of a network."""
    return list(network)


def sorted_addresses(addresses: Iterator[Address]) -> list[Address]:
    """Sort addresses, IPv4 first."""
    return sorted(addresses, key=lambda address: (address.version, int(address)))
