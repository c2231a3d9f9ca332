"""Hooks that the inventory offers to other plugins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipcraft.plugin import Application, hookspec

if TYPE_CHECKING:
    from ipcraft_ipam.strategies import AllocationStrategy


@hookspec
def ipcraft_allocation_strategies(app: Application) -> Sequence[AllocationStrategy]:
    """Give ways to choose the next address: values of ``strategy`` in ``POST first-free``.

    Called once at boot. A name given twice stops the boot.

    >>> from ipcraft_ipam import AllocationStrategy
    >>> def even(space, count):
    ...     for span in space.spans():
    ...         yield from range(span.first + span.first % 2, span.last + 1, 2)
    >>> AllocationStrategy("even", even)  # doctest: +ELLIPSIS
    AllocationStrategy(name='even', ...)
    """
    raise NotImplementedError
