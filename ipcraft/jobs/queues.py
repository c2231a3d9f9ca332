"""Queues: what carries orders to where they are worked off."""

from __future__ import annotations

from typing import Protocol

from ipcraft.jobs.definitions import Order


class JobQueue(Protocol):
    """Take orders and have their jobs run, here or in another process."""

    @property
    def name(self) -> str:
        """Give the queue's name, unique among all plugins."""
        ...

    @property
    def runs_here(self) -> bool:
        """Tell whether jobs run in the process that queues them."""
        ...

    def put(self, order: Order) -> None:
        """Take an order. Raises `ipcraft.errors.Unavailable` when it cannot be taken."""

    def close(self) -> None:
        """End this process's part in it, after what it alone still has to do."""
