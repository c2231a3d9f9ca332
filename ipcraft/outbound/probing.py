"""Probing: which ports of a host take connections, asked all at once and without a thread."""

from __future__ import annotations

import errno
import os
import selectors
import socket
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal

from ipcraft.outbound.deadlines import Deadline
from ipcraft.outbound.dialling import FAMILIES, in_turns
from ipcraft.outbound.failures import Refused, Unreachable
from ipcraft.outbound.guard import Guard
from ipcraft.outbound.special_purpose import Address

Outcome = Literal["open", "refused", "unreachable", "forbidden"]
"""What came of knocking at a port.

``open``         it takes connections
``refused``      the host is there, and nothing listens
``unreachable``  the network says that there is no way, or none on this machine
``forbidden``    the guard does not let us: nothing was sent
"""

_PROBED = 2
"""Addresses of a host that are probed: one of each family, if it has both."""
_OUTCOMES: Mapping[int | None, Outcome] = {0: "open", errno.ECONNREFUSED: "refused"}
_UNDER_WAY = (0, errno.EINPROGRESS)


@dataclass(frozen=True, slots=True)
class Probe:
    """Hold what came of one port of one of the host's addresses."""

    port: int
    outcome: Outcome
    seconds: float = 0.0
    """From the first packet to the answer."""

    @property
    def answered(self) -> bool:
        """Tell whether the host itself said something, be it no."""
        return self.outcome in ("open", "refused")


def probe(
    addresses: Sequence[Address], ports: Sequence[int], *, guard: Guard, deadline: Deadline
) -> Generator[Probe, None, None]:
    """Connect to every port at once, and give what comes, as it comes, until the deadline.

    A port that says nothing is not in it. Close the iterator to stop early: it closes what is open.
    """
    with ExitStack() as opened:
        selector = opened.enter_context(selectors.DefaultSelector())
        for port in ports:
            try:
                guard.refuse_port(port)
            except Refused:
                yield Probe(port, "forbidden")
                continue
            for address in in_turns(addresses)[:_PROBED]:
                guard.refuse_address(address)
                began = time.monotonic()
                try:
                    knocking = opened.enter_context(_knock(address, port))
                except OSError as error:
                    yield _probe(port, error.errno, began)
                    continue
                selector.register(knocking, selectors.EVENT_WRITE, (port, began))
        yield from _answers(selector, deadline)


def _knock(address: Address, port: int) -> socket.socket:
    """Begin a connection. Raises OSError when it is known at once that there is none."""
    knocking = socket.socket(FAMILIES[address.version], socket.SOCK_STREAM)
    knocking.setblocking(False)
    code = knocking.connect_ex((str(address), port))
    if code not in _UNDER_WAY:
        knocking.close()
        raise OSError(code, os.strerror(code))
    return knocking


def _answers(selector: selectors.BaseSelector, deadline: Deadline) -> Iterator[Probe]:
    while selector.get_map():
        try:
            ready = selector.select(deadline.remaining())
        except Unreachable:
            return
        for key, _ in ready:
            knocking = key.fileobj
            assert isinstance(knocking, socket.socket)
            selector.unregister(knocking)
            code = knocking.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            knocking.close()
            port, began = key.data
            yield _probe(port, code, began)


def _probe(port: int, code: int | None, began: float) -> Probe:
    return Probe(port, _OUTCOMES.get(code, "unreachable"), time.monotonic() - began)
