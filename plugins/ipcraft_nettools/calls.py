"""Calls: what a tool works with while it runs."""

from __future__ import annotations

import socket
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

from ipcraft.plugin import Deadline, Outbound, Probe


@dataclass(frozen=True, slots=True)
class Asker:
    """Say who asks over HTTP, and with which headers."""

    address: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    proxied: bool = False
    """Whether a proxy that the operator trusts speaks for the client."""


class Call:
    """Reach others for one run of a tool: through the guard, and until the deadline.

    What is refused answers 400, what is unreachable 502, unless the tool takes it as an answer.
    """

    __slots__ = ("_outbound", "asker", "deadline")

    def __init__(self, outbound: Outbound, *, deadline: Deadline, asker: Asker | None) -> None:
        self._outbound = outbound
        self.deadline = deadline
        """When the run is over. A tool that waits by itself asks it for what is left."""
        self.asker = asker
        """Who asks; None on the command line."""

    def addresses(self, host: str) -> tuple[IPv4Address | IPv6Address, ...]:
        """Give all addresses of a host; an address is its own, and so is judged without asking.

        Raises `Refused` when one of them must not be reached, `Unreachable` when there is none.
        """
        return self._outbound.addresses(host, deadline=self.deadline.remaining())

    def connect(self, host: str, port: int, *, within: float | None = None) -> socket.socket:
        """Open a TCP connection within some seconds, or what is left; so is its timeout.

        Raises `Refused` and `Unreachable`.
        """
        return self._outbound.connect(host, port, deadline=self._seconds(within))

    def connect_trusted(
        self, host: str, port: int, *, within: float | None = None
    ) -> socket.socket:
        """Open a TCP connection to a server that the operator's settings name, unjudged.

        Nothing that a client or another server says may become the host. Raises `Unreachable`.
        """
        seconds = self._seconds(within)
        return self._outbound.connect(host, port, deadline=seconds, trusted=True)

    def probe(
        self, host: str, ports: Sequence[int], *, within: float | None = None
    ) -> Generator[Probe, None, None]:
        """Connect to all these ports at once, see `Outbound.probe`."""
        return self._outbound.probe(host, ports, deadline=self._seconds(within))

    def within(self, seconds: float) -> Deadline:
        """Give a deadline for a part of the run: so many seconds, or what is left."""
        return Deadline(self._seconds(seconds))

    def _seconds(self, within: float | None) -> float:
        left = self.deadline.remaining()
        return left if within is None else min(left, within)
