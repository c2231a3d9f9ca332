"""The inventory lock: who may change the tree while addresses come and go.

Writers of addresses share it, so they never wait for each other. Whoever changes the tree
(creates, splits or deletes a subnet, moves its gateway or its usable range) holds it alone for
that transaction. So an address's home, once read, is its home until the commit.
"""

from __future__ import annotations

from ipcraft.plugin import Transaction
from ipcraft_ipam.networks import Network

_INVENTORY = "inventory"
_CHANGED = "ipam.changed_networks"


def keep_tree(tx: Transaction) -> None:
    """Keep the organization's tree of subnets as it is until the end of the transaction."""
    tx.share_lock(_INVENTORY)


def change_tree(tx: Transaction) -> None:
    """Be the only one who writes subnets and addresses until the end of the transaction."""
    tx.lock(_INVENTORY)


def changed_networks(tx: Transaction) -> list[tuple[str, Network]]:
    """Give where the transaction has changed the tree: VRF and network, to be added to.

    What had been asked before of a network in one of these may be otherwise by now.
    """
    changed: list[tuple[str, Network]] = tx.notes.setdefault(_CHANGED, [])
    return changed
