"""What can come of an attempt to reach another server, besides its answer.

::

    IPCraftError
    `-- OutboundError        carries `reason`, a sentence a person can act on
        |-- Refused          we will not go there: trying again is in vain
        `-- Unreachable      the network, or what is at the other end, fails
"""

from __future__ import annotations

from ipcraft.errors import IPCraftError


class OutboundError(IPCraftError):
    """Be the root of what goes wrong on the way to another server."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Refused(OutboundError):
    """Refuse a target or a request: it is malformed, or not one that may be reached."""


class Unreachable(OutboundError):
    """Say that no whole answer came: time is up, a reset, bad TLS, no HTTP, no such name.

    The `__cause__` is the operating system's error, where there is one: `ConnectionRefusedError`
    tells that something is there and listens on another port.
    """
