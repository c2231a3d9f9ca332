"""The registers by the kind of what is in them, each with the rules for creating and changing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ipcraft.plugin import Transaction
from ipcraft_ipam import sections, vlans, vrfs
from ipcraft_ipam.registers import Register

Registered = Literal["folder", "vrf", "vlan"]


@dataclass(frozen=True, slots=True)
class Keeping:
    """Say how the records of a kind are kept.

    `create` takes the fields, `change` an id and fields; both raise `Invalid` for what a rule
    refuses, and give the record.
    """

    register: Register[Any]
    create: Callable[[Transaction, Mapping[str, Any]], Any]
    change: Callable[[Transaction, str, Mapping[str, Any]], Any]
    unique: tuple[tuple[str, ...], ...] = ()
    """Fields that no two records have alike together."""


DIRECTORY: Mapping[Registered, Keeping] = {
    "folder": Keeping(sections.SECTIONS, sections.create, sections.change),
    "vrf": Keeping(vrfs.VRFS, vrfs.create, vrfs.change, (("name",), ("rd",))),
    "vlan": Keeping(vlans.VLANS, vlans.create, vlans.change, (("number", "name"),)),
}
