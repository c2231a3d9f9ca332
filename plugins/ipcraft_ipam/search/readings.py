"""What a term may mean. A record matches a term when it matches one of its readings."""

from __future__ import annotations

from dataclasses import dataclass

from ipcraft_ipam.networks import BITS, Network, format_address
from ipcraft_ipam.search.patterns import How, Pattern
from ipcraft_ipam.searchable import TAGS

_VERBS = {"equals": "is", "begins": "begins with", "contains": "contains"}


@dataclass(frozen=True, slots=True)
class TextReading:
    """Be a folded text, in one field or, without one, in any."""

    text: str
    field: str | None = None
    how: How = "contains"

    kind = "text"

    @property
    def pattern(self) -> Pattern:
        """Give what is looked for in the records' texts."""
        return Pattern(self.text, TAGS[self.field] if self.field else "", self.how)

    @property
    def value(self) -> str:
        """Give the text."""
        return self.text

    @property
    def sentence(self) -> str:
        """Say it in words."""
        return f'{self.field or "any text"} {_VERBS[self.how]} "{self.text}"'


@dataclass(frozen=True, slots=True)
class StatusReading:
    """Be the default status, which no record's text has; `how` tells how the term names it."""

    status: str
    how: How

    kind = "status"
    field = "status"

    @property
    def value(self) -> str:
        """Give the status."""
        return self.status

    @property
    def sentence(self) -> str:
        """Say it in words."""
        return f"addresses whose status is {self.status}"


@dataclass(frozen=True, slots=True)
class HostReading:
    """Be one address: its record, and the subnets that contain it."""

    ip: int

    kind = "address"
    field = None

    @property
    def value(self) -> str:
        """Give the address."""
        return format_address(self.ip)

    @property
    def sentence(self) -> str:
        """Say it in words."""
        return f"the address {self.value} and the subnets that contain it"

    @property
    def network(self) -> Network:
        """Give the address as the smallest network."""
        return Network(self.ip, BITS[Network(self.ip, 0).family])


@dataclass(frozen=True, slots=True)
class PlaceReading:
    """Be a network: itself and all inside; `field` narrows it.

    ``ip``: addresses only. ``network``: that subnet only.
    """

    network: Network
    field: str | None = None

    kind = "network"

    @property
    def value(self) -> str:
        """Give the network."""
        return str(self.network)

    @property
    def sentence(self) -> str:
        """Say it in words."""
        if self.field == "network":
            return f"the subnet {self.network}"
        what = "addresses" if self.field == "ip" else "everything"
        return f"{what} in {self.network}"


@dataclass(frozen=True, slots=True)
class MacReading:
    """Be the beginning of a MAC address as it is stored, or all of it."""

    prefix: str
    field: str | None = None

    kind = "mac_address"

    @property
    def value(self) -> str:
        """Give the beginning."""
        return self.prefix

    @property
    def last(self) -> str:
        """Give a text that sorts behind every MAC address that begins so."""
        return self.prefix + "~"

    @property
    def sentence(self) -> str:
        """Say it in words."""
        verb = "is" if len(self.prefix) == len("00:1A:2B:3C:4D:5E") else "begins with"
        return f"the MAC address {verb} {self.prefix}"


@dataclass(frozen=True, slots=True)
class FreeReading:
    """Be subnets with so many free addresses; both ends are included."""

    least: int
    most: int
    value: str

    kind = "free"
    field = "free"

    @property
    def sentence(self) -> str:
        """Say it in words."""
        return f"subnets whose number of free addresses is {self.value}"
