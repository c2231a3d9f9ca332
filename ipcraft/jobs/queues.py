"""Queues: what carries orders to where they are worked off."""

from __future__ import annotations

from typing import Protocol

from ipcraft.jobs.definitions import Ticket


class JobQueue(Protocol):
    """Bring orders to those who work them off, here or in another process.

    The orders themselves stand in the database; what a queue loses is given to it again.
    """

    @property
    def name(self) -> str:
        """Give the queue's name, unique among all plugins."""
        ...

    @property
    def runs_here(self) -> bool:
        """Tell whether jobs run in the processes that serve requests."""
        ...

    def room(self) -> int:
        """Give how many tickets it would take now.

        Called in a process that runs jobs, and so is `put`. Raises `ipcraft.errors.Unavailable`.
        """
        ...

    def put(self, ticket: Ticket) -> None:
        """Have ``app.orders.perform(ticket)`` called, soon, once, by whoever is free.

        Raises `ipcraft.errors.Unavailable` when it cannot be taken.
        """

    def wake(self, drain: str) -> None:
        """Tell the processes that run jobs that a drain has work, if these are others than ours.

        Called after each commit that leaves work: it must not wait, and may be lost.
        """

    def close(self) -> None:
        """End this process's part in it, after what it alone still has to do."""
