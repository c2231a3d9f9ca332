"""What an importer makes of a file: entries in IPCraft's terms, and what it could not read.

An entry's values are texts as they stand in the file, under IPCraft's names of fields; reading
networks, addresses and numbers, and refusing bad ones, is done for all importers alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["folder", "vrf", "vlan", "subnet", "address"]

KINDS: tuple[Kind, ...] = ("folder", "vrf", "vlan", "subnet", "address")
"""The kinds in the order in which they are written: each refers to those before it."""

FIELDS: Mapping[Kind, tuple[str, ...]] = {
    "folder": ("id", "name", "description", "sort_order"),
    "vrf": ("id", "name", "rd", "description"),
    "vlan": ("id", "aliases", "number", "name", "description"),
    "subnet": (
        "network",
        "name",
        "description",
        "section",
        "section_id",
        "vrf",
        "vrf_id",
        "vlan",
        "vlan_id",
        "gateway",
        "is_pool",
        "parent",
    ),
    "address": (
        "ip",
        "hostname",
        "mac_address",
        "description",
        "status",
        "owner",
        "vrf",
        "vrf_id",
        "subnet",
    ),
}
"""The fields of each kind."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Be one thing that a file lists.

    `values` hold texts (or JSON values) by the names in `FIELDS`. A field that is not there is
    left as it is in a thing that exists already; None clears it. ``section``, ``vrf`` and ``vlan``
    refer by name (a VLAN by number, too), and what they name is made when there is none;
    ``section_id`` and so on refer to the ``id`` of another entry (or one of its ``aliases``), and
    win over the name. ``ip`` may have a prefix length:
    where no subnet holds the address, the network meant is made.
    """

    kind: Kind
    values: Mapping[str, Any]
    line: int
    columns: Mapping[str, str] = field(default_factory=dict)
    """What the file calls the fields, where that is something else."""
    lost: Sequence[str] = ()
    """Names of what the file says of it that IPCraft does not keep."""
    implied: bool = False
    """Whether it is only there because others refer to it; then it changes nothing that exists."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Be a row that cannot be read, with the reason."""

    line: int
    message: str
    column: str | None = None


@dataclass(frozen=True, slots=True)
class Unkept:
    """Be a row that is fine and tells of what IPCraft does not keep at all."""

    line: int
    message: str


Found = Entry | Problem | Unkept
"""What an importer gives of a document, row by row."""


class Broken(Exception):
    """Stop the reading of a file: from this place on it makes no sense."""

    def __init__(self, message: str, *, line: int, column: str | None = None) -> None:
        super().__init__(message)
        self.problem = Problem(line, message, column)
