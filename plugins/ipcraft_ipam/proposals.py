"""Proposals: asking every plugin whether it lets a change through, without making it.

Each records the change in a transaction that is never committed, so that the plan's limits and
every other veto speak up as they would if it were made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ipcraft.plugin import Transaction
from ipcraft_ipam import addresses, editing, hierarchy
from ipcraft_ipam.addresses import Address
from ipcraft_ipam.networks import Network
from ipcraft_ipam.subnets import Subnet


def propose_subnet(tx: Transaction, network: Network, values: Mapping[str, Any]) -> None:
    """Propose a new subnet; `values` as for its creation. Raises what a plugin raises."""
    tx.record(hierarchy.created(hierarchy.new_subnet(tx, network, values, None)))


def propose_address(tx: Transaction, home: Subnet, values: Mapping[str, Any]) -> None:
    """Propose a new address of `ip` and the optional other fields. Raises as a plugin does."""
    tx.record(addresses.created(addresses.new_address(tx, home, values, ip=values["ip"])))


def propose_subnet_change(tx: Transaction, old: Subnet, changed: Mapping[str, Any]) -> None:
    """Propose new values of a subnet's fields. Raises what a plugin raises."""
    before = {name: getattr(old, name) for name in changed}
    tx.record(editing.updated(replace(old, **changed), changed, before=before))


def propose_address_change(tx: Transaction, old: Address, changed: Mapping[str, Any]) -> None:
    """Propose new values of an address's fields. Raises what a plugin raises."""
    tx.record(addresses.updated(old, changed))
