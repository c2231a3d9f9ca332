"""The inventory lock: who may change the tree while addresses come and go.

Writers of addresses share it, so they never wait for each other. Whoever changes the tree
(creates, splits or deletes a subnet, moves its gateway or its usable range) holds it alone for
that transaction. So an address's home, once read, is its home until the commit.
"""

from __future__ import annotations

from ipcraft.plugin import Transaction

_INVENTORY = "inventory"


def keep_tree(tx: Transaction) -> None:
    """Keep the organization's tree of subnets as it is until the end of the transaction."""
    tx.share_lock(_INVENTORY)


def change_tree(tx: Transaction) -> None:
    """Be the only one who writes subnets and addresses until the end of the transaction."""
    tx.lock(_INVENTORY)
