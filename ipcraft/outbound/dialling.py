"""Dialling: a connection to an address that the guard judges in that moment."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import TYPE_CHECKING

from ipcraft.outbound.deadlines import Deadline
from ipcraft.outbound.failures import Unreachable
from ipcraft.outbound.guard import Guard
from ipcraft.outbound.hosts import Host
from ipcraft.outbound.special_purpose import Address

if TYPE_CHECKING:
    import ssl

_DIALLED = 4
"""Addresses of a host that are tried."""

FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
"""The socket's family of each version of IP."""


def dial(
    addresses: Sequence[Address], port: int, *, guard: Guard, deadline: Deadline
) -> tuple[socket.socket, Address]:
    """Connect to one of the addresses, and say to which; the two families take turns.

    Each is judged when it is dialled, and has its share of the time. Raises `Refused`, and
    `Unreachable` when none answers.
    """
    tried = in_turns(addresses)[:_DIALLED]
    failure: OSError | None = None
    for place, address in enumerate(tried):
        guard.refuse_port(port)
        guard.refuse_address(address)
        try:
            return _connect(address, port, timeout=deadline.share(len(tried) - place)), address
        except OSError as error:
            failure = error
    deadline.remaining()
    raise _no_connection(port, failure) from failure


def secure(
    opened: socket.socket, host: Host, *, context: ssl.SSLContext, deadline: Deadline
) -> ssl.SSLSocket:
    """Begin TLS as a client that wants the host of this name, not just of this address.

    Raises `Unreachable`, the connection then being closed.
    """
    import ssl

    try:
        opened.settimeout(deadline.remaining())
        return context.wrap_socket(opened, server_hostname=host.name)
    except ssl.SSLCertVerificationError as error:
        raise Unreachable(f"the certificate is not accepted: {error.verify_message}") from error
    except TimeoutError as error:
        raise deadline.passed() from error
    except OSError as error:
        raise Unreachable(f"TLS fails: {error.strerror or error}") from error
    finally:
        opened.close()  # of no effect where TLS has taken the connection over


def in_turns(addresses: Sequence[Address]) -> list[Address]:
    """Give IPv4 and IPv6 in turns: where one of them leads nowhere, the other is soon tried."""
    families = [[each for each in addresses if each.version == version] for version in FAMILIES]
    return [each for each in chain(*zip_longest(*families)) if each is not None]


def _connect(address: Address, port: int, *, timeout: float) -> socket.socket:
    opened = socket.socket(FAMILIES[address.version], socket.SOCK_STREAM)
    try:
        opened.settimeout(timeout)
        opened.connect((str(address), port))
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        opened.close()
        raise
    return opened


def _no_connection(port: int, failure: OSError | None) -> Unreachable:
    if isinstance(failure, ConnectionRefusedError):
        return Unreachable(f"nothing listens on port {port}")
    if failure is None or isinstance(failure, TimeoutError):
        return Unreachable(f"there is no connection to port {port} in time")
    return Unreachable(f"there is no connection to port {port}: {failure.strerror or failure}")
