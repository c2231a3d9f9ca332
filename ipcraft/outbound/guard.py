"""The guard: which addresses and ports may be reached."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from ipcraft.outbound.failures import Refused
from ipcraft.outbound.hosts import Host
from ipcraft.outbound.special_purpose import Address, embedded, plain, special_network
from ipcraft.outbound.targets import Target


@dataclass(frozen=True, slots=True)
class Guard:
    """Judge addresses: globally reachable ones are good, and those that the operator allows.

    An address that has IPv4 addresses embedded is as good as the worst of them.
    """

    allowed_networks: Sequence[IPv4Network | IPv6Network] = ()
    ports: Collection[int] = ()
    """The ports that may be reached; none named: all."""

    def refuse_target(self, target: Target) -> None:
        """Raise `Refused` for a target that can be told to be bad without asking for its name."""
        self.refuse_port(target.port)
        if target.host.address is not None:
            self.refuse_address(target.host.address)

    def refuse_address(self, address: Address) -> None:
        """Raise `Refused` for an address that must not be reached."""
        address = plain(address)
        for each in (address, *embedded(address)):
            special = special_network(each)
            if not special.reachable and not self._allows(each):
                raise Refused(
                    f"{address} is not globally reachable ({special.name})"
                    if each == address
                    else f"{address} leads to {each}, which is not globally reachable"
                    f" ({special.name})"
                )

    def refuse_port(self, port: int) -> None:
        """Raise `Refused` for a port that must not be reached."""
        if self.ports and port not in self.ports:
            raise Refused(f"port {port} is not among those that may be reached")

    def refuse_host(self, host: Host) -> None:
        """Raise `Refused` for a host that is bad whatever its addresses are; none is."""

    def _allows(self, address: Address) -> bool:
        return any(address in network for network in self.allowed_networks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust(Guard):
    """Let pass what goes to one server, wherever that is, and nothing else."""

    origin: Target

    def refuse_target(self, target: Target) -> None:
        """Raise `Refused` for a target at another server."""
        if target.scheme != self.origin.scheme:
            raise Refused(f"{self.origin.authority} is trusted with {self.origin.scheme} only")
        self.refuse_port(target.port)
        self.refuse_host(target.host)

    def refuse_address(self, address: Address) -> None:
        """Let every address pass: the operator has named the server."""

    def refuse_port(self, port: int) -> None:
        """Raise `Refused` for any other port than the server's."""
        if port != self.origin.port:
            raise Refused(f"port {port} is not that of {self.origin.authority}")

    def refuse_host(self, host: Host) -> None:
        """Raise `Refused` for any other host."""
        if host.name != self.origin.host.name:
            raise Refused(f"{host} is not {self.origin.host}, which alone is trusted")
