"""What a term may mean. A record matches a term when it matches one of its readings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ipcraft_ipam.networks import BITS, Network, format_address
from ipcraft_ipam.search.patterns import How, Pattern
from ipcraft_ipam.searchable import TAGS

_LISTED = 5
"""Names of a register that a sentence tells."""

RegisterName = Literal["vlan", "vrf", "section"]
_NOUNS = {"vlan": "VLAN", "vrf": "VRF", "section": "folder"}

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


@dataclass(frozen=True, slots=True)
class RegisterReading:
    """Be VLANs, VRFs or folders: those themselves, the subnets in them, the addresses in these.

    `fields` are those of the register that may be or have the text. Which it means is known when
    they were looked up (`ipcraft_ipam.search.lookup`): their ids, and how to call them.
    """

    register: RegisterName
    text: str
    fields: tuple[str, ...]
    ids: tuple[str, ...] = ()
    labels: tuple[str, ...] | None = None

    @property
    def kind(self) -> str:
        """Give the register's name."""
        return self.register

    @property
    def field(self) -> str:
        """Give the register's name."""
        return self.register

    @property
    def value(self) -> str:
        """Give the text."""
        return self.text

    @property
    def noun(self) -> str:
        """Name one of the register."""
        return _NOUNS[self.register]

    @property
    def patterns(self) -> Sequence[Pattern]:
        """Give what is looked for in the register's texts: any of these."""
        return [Pattern(self.text, TAGS[field]) for field in self.fields]

    @property
    def sentence(self) -> str:
        """Say it in words."""
        if self.labels is None:
            return f'in the {self.noun} "{self.text}"'
        if not self.labels:
            return f'in the {self.noun} "{self.text}", which there is not'
        if len(self.labels) == 1:
            return f"in the {self.noun} {self.labels[0]}"
        more = ", ..." if len(self.labels) > _LISTED else ""
        named = ", ".join(self.labels[:_LISTED])
        return f"in one of {len(self.labels)} {self.noun}s: {named}{more}"
