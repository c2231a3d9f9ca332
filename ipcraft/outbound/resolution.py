"""Resolution: from a host to its addresses, in time.

Names are looked up as the machine does it: in ``/etc/hosts`` and then, with the name servers, the
search list and the options of ``/etc/resolv.conf``, in the DNS. The machine's own function for it,
getaddrinfo, can be neither given a deadline nor abandoned: each slow name server of somebody's
domain would hold a thread for up to half a minute. So we ask ourselves. Other sources that
``/etc/nsswitch.conf`` may name (mDNS, LDAP) are not asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Generic, TypeVar

from ipcraft.outbound.deadlines import Deadline
from ipcraft.outbound.failures import Unreachable
from ipcraft.outbound.hosts import Host
from ipcraft.outbound.name_servers import NameServer, NameServers
from ipcraft.outbound.special_purpose import Address

BELIEVED = 3.0
"""Seconds for which an answer is believed, whatever its own time to live."""

HOSTS = Path("/etc/hosts")
CONFIGURATION = Path("/etc/resolv.conf")

_REMEMBERED = 1024

T = TypeVar("T")


class Resolver:
    """Find the addresses of hosts; for use by many threads.

    Of `servers`, if there are any, names are asked as they are written, and the configuration
    does not count.
    """

    def __init__(
        self,
        servers: Sequence[NameServer] = (),
        *,
        hosts: Path = HOSTS,
        configuration: Path = CONFIGURATION,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._servers = NameServers(servers) if servers else None
        self._hosts = _ReadFile(hosts, _read_hosts)
        self._configuration = _ReadFile(configuration, NameServers.of)
        self._clock = clock
        self._known: dict[Host, tuple[float, tuple[Address, ...]]] = {}

    def addresses(self, host: Host, deadline: Deadline) -> tuple[Address, ...]:
        """Give every address of the host. Raises `Unreachable` when there is none."""
        if host.address is not None:
            return (host.address,)
        now = self._clock()
        until, found = self._known.get(host, (now, ()))
        if until > now:
            return found
        found = self._ask(host, deadline)
        if not found:
            raise Unreachable(f"there is no host {host}")
        self._remember(host, found)
        return found

    def _ask(self, host: Host, deadline: Deadline) -> tuple[Address, ...]:
        if found := self._hosts.content().get(host.name):
            return found
        servers = self._servers or self._configuration.content()
        return servers.addresses(host, deadline)

    def _remember(self, host: Host, addresses: tuple[Address, ...]) -> None:
        if len(self._known) >= _REMEMBERED:
            self._known = {}
        self._known[host] = (self._clock() + BELIEVED, addresses)


class _ReadFile(Generic[T]):
    """Give what a file says, read again when it is another."""

    def __init__(self, path: Path, read: Callable[[Path], T]) -> None:
        self._path = path
        self._read = read
        self._last: tuple[tuple[int, int, int] | None, T] | None = None

    def content(self) -> T:
        stamp = self._stamp()
        if self._last is None or self._last[0] != stamp:
            self._last = (stamp, self._read(self._path))
        return self._last[1]

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return (found.st_ino, found.st_mtime_ns, found.st_size)


def _read_hosts(path: Path) -> Mapping[str, tuple[Address, ...]]:
    """Read a file like ``/etc/hosts`` (hosts(5)); what cannot be read names nobody."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    found: dict[str, tuple[Address, ...]] = {}
    for line in text.splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        try:
            parsed = ip_address(address)
        except ValueError:
            continue
        for name in names:
            found[name.lower()] = (*found.get(name.lower(), ()), parsed)
    return found
