"""The client: what plugins reach other servers with."""

from __future__ import annotations

import socket
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from ipaddress import ip_network
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import structlog

from ipcraft.errors import StartError
from ipcraft.outbound.connections import Connection, KeptConnections, Way
from ipcraft.outbound.deadlines import Deadline
from ipcraft.outbound.dialling import dial, secure
from ipcraft.outbound.exchanges import Answer, Request, Stale, converse
from ipcraft.outbound.failures import Refused, Unreachable
from ipcraft.outbound.guard import Guard, Trust
from ipcraft.outbound.hosts import Host, read_host
from ipcraft.outbound.name_servers import NameServer
from ipcraft.outbound.probing import Probe, probe
from ipcraft.outbound.resolution import Resolver
from ipcraft.outbound.special_purpose import Address, plain
from ipcraft.outbound.targets import Target, read_url

if TYPE_CHECKING:
    import ssl

    from ipcraft.config import Settings

DEADLINE = 10.0
"""Seconds that an exchange may take in all."""

KEEP = 4096
"""Bytes of an answer's body that are kept."""

_IDEMPOTENT = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PUT", "TRACE"})
"""Methods that may be sent twice (RFC 9110, 9.2.2)."""

_EVERYWHERE = Guard([ip_network("0.0.0.0/0"), ip_network("::/0")])

_log = structlog.get_logger("ipcraft.outbound")


class Outbound:
    """Reach other servers, and only those that may be reached; for use by many threads.

    An address is globally reachable or in a network that the operator allows; all addresses of a
    host must be. What is dialled is the address that was judged. No redirect is followed, and
    nothing of the environment (proxies, netrc) is heeded. A deadline covers everything: the name,
    the connection, TLS, sending and reading.
    """

    def __init__(
        self,
        guard: Guard,
        *,
        resolver: Resolver | None = None,
        kept: KeptConnections | None = None,
        ca_file: Path | None = None,
    ) -> None:
        self._guard = guard
        self._resolver = resolver or Resolver()
        self._kept = kept or KeptConnections()
        self._ca_file = ca_file

    @classmethod
    def of(cls, settings: Settings) -> Outbound:
        """Make the client of these settings. Raises `StartError` for a CA file that is none."""
        ca_file = Path(settings.outbound_ca_file) if settings.outbound_ca_file else None
        if ca_file is not None:
            _try_out(ca_file)
        servers = [NameServer.of(text) for text in settings.outbound_name_servers]
        guard = Guard(settings.allowed_networks, ports=frozenset(settings.outbound_ports))
        return cls(guard, resolver=Resolver(servers), ca_file=ca_file)

    def trusting(self, base_url: str) -> Outbound:
        """Give a client for the one server that a setting of the operator's names.

        It goes there wherever that is, so the guard's word does not count, and nowhere else.
        Deadline and bounds are the same, and `close` closes its connections, too.

        >>> stripe = app.outbound.trusting("https://api.stripe.com")  # doctest: +SKIP
        """
        guard = Trust(origin=read_url(base_url))
        return Outbound(guard, resolver=self._resolver, kept=self._kept, ca_file=self._ca_file)

    def check(self, url: str, *, https_only: bool = False) -> None:
        """Raise `Refused` for a URL that can be told to lead nowhere good without dialling.

        Where a name leads is seen when it is dialled.

        >>> app.outbound.check("http://127.1/")  # doctest: +SKIP
        Traceback (most recent call last):
        ipcraft.outbound.failures.Refused: 127.0.0.1 is not globally reachable (loopback)
        """
        self._target(url, https_only=https_only)

    def post(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes,
        deadline: float = DEADLINE,
        keep: int = KEEP,
        https_only: bool = False,
    ) -> Answer:
        """Post the body and give the answer, whatever its status; a redirection is one, too.

        It is posted at least once: when a kept connection turns out to be dead, nobody knows
        what still arrived. Raises `Refused` and `Unreachable`.

        >>> app.outbound.post(url, headers={}, body=b"Hello").status  # doctest: +SKIP
        204
        """
        return self.exchange(
            "POST",
            url,
            headers=headers,
            body=body,
            deadline=deadline,
            keep=keep,
            https_only=https_only,
            repeatable=True,
        )

    def exchange(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] = MappingProxyType({}),
        body: bytes = b"",
        deadline: float = DEADLINE,
        keep: int = KEEP,
        https_only: bool = False,
        repeatable: bool | None = None,
    ) -> Answer:
        """Send a request and give its answer, as `post` does.

        `repeatable` says whether the request may arrive twice; unless given, the method says so.
        One that may not gets a new connection.
        """
        until = Deadline(deadline)
        target = self._target(url, https_only=https_only)
        request = Request.to(target, method=method, headers=headers, body=body)
        addresses = self._addresses(target.host, until)
        if method in _IDEMPOTENT if repeatable is None else repeatable:
            kept = self._kept_to(target, addresses)
            if kept is not None:
                with suppress(Stale):
                    return self._converse(kept, request, deadline=until, keep=keep)
        connection = self._open(target, addresses, until)
        try:
            return self._converse(connection, request, deadline=until, keep=keep)
        except Stale as error:
            raise Unreachable("the connection ends before an answer") from error.__cause__

    def addresses(self, host: str, *, deadline: float = DEADLINE) -> tuple[Address, ...]:
        """Give all addresses of a host, a name or an address itself.

        Raises `Refused` when one of them must not be reached, `Unreachable` when there is none.
        """
        return self._addresses(read_host(host), Deadline(deadline))

    def connect(
        self, host: str, port: int, *, deadline: float = DEADLINE, trusted: bool = False
    ) -> socket.socket:
        """Open a TCP connection to a host; its timeout is what is left of the deadline.

        A `trusted` host is one that the operator named, as a setting, and is not judged: nobody
        else may have had a say in it. Raises `Refused`, and `Unreachable`, whose cause is
        `ConnectionRefusedError` when the host is there and nothing listens on the port.
        """
        until = Deadline(deadline)
        guard = _EVERYWHERE if trusted else self._guard
        addresses = self._addresses(read_host(host), until, guard)
        opened, _ = dial(addresses, port, guard=guard, deadline=until)
        try:
            opened.settimeout(until.remaining())
        except Unreachable:
            opened.close()
            raise
        return opened

    def probe(
        self, host: str, ports: Sequence[int], *, deadline: float = DEADLINE
    ) -> Generator[Probe, None, None]:
        """Connect to all these ports of a host at once; give what comes, as it comes.

        Of the host's addresses one of each family is probed. A port that says nothing until the
        deadline is not in it. Close the iterator to stop early. Raises `Refused`, and
        `Unreachable` when the host has no address.

        >>> with closing(app.outbound.probe("example.com", [80, 443])) as probes:  # doctest: +SKIP
        ...     open_ports = {each.port for each in probes if each.outcome == "open"}
        """
        until = Deadline(deadline)
        addresses = self._addresses(read_host(host), until)
        return probe(addresses, ports, guard=self._guard, deadline=until)

    def close(self) -> None:
        """Close the connections that are kept; new ones can be opened still."""
        self._kept.close()

    def _target(self, url: str, *, https_only: bool) -> Target:
        target = read_url(url)
        if https_only and not target.encrypted:
            raise Refused("the URL does not begin with https://")
        self._guard.refuse_target(target)
        return target

    def _addresses(
        self, host: Host, deadline: Deadline, guard: Guard | None = None
    ) -> tuple[Address, ...]:
        """Give a host's addresses if all are good: who mixes in a bad one is up to something."""
        guard = guard or self._guard
        guard.refuse_host(host)
        addresses = tuple(plain(each) for each in self._resolver.addresses(host, deadline))
        try:
            for address in addresses:
                guard.refuse_address(address)
        except Refused as error:
            if host.address is not None:
                raise
            # APPSEC: who asks may be a tenant, and which addresses names have in this network is
            # none of their business. It is the operator's.
            _log.info("a target is refused", host=host.name, reason=error.reason)
            raise Refused(f"{host} leads to an address that is not globally reachable") from error
        return addresses

    def _kept_to(self, target: Target, addresses: Iterable[Address]) -> Connection | None:
        """Give a kept connection that leads to an address the host has now, if there is one."""
        ways = (Way(target.scheme, target.host.name, target.port, each) for each in addresses)
        return next(filter(None, map(self._kept.take, ways)), None)

    def _open(self, target: Target, addresses: Sequence[Address], deadline: Deadline) -> Connection:
        opened, address = dial(addresses, target.port, guard=self._guard, deadline=deadline)
        if target.encrypted:
            opened = secure(opened, target.host, context=self._tls, deadline=deadline)
        return Connection(opened, Way(target.scheme, target.host.name, target.port, address))

    def _converse(
        self, connection: Connection, request: Request, *, deadline: Deadline, keep: int
    ) -> Answer:
        """Have the exchange, and keep the connection if another one can follow."""
        again = False
        try:
            answer, again = converse(connection, request, deadline=deadline, keep=keep)
        finally:
            if again:
                self._kept.keep(connection)
            else:
                connection.close()
        return answer

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        import ssl

        context = ssl.create_default_context()
        context.set_alpn_protocols(["http/1.1"])
        if self._ca_file is not None:
            context.load_verify_locations(self._ca_file)
        return context


def _try_out(ca_file: Path) -> None:
    """Raise `StartError` for a file that holds no certificates of authorities."""
    import ssl

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(ca_file)
    except OSError as error:
        raise StartError(
            f"outbound_ca_file: no certificates in PEM can be read from {ca_file}: "
            f"{error.strerror or error}"
        ) from error
