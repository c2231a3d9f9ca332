"""Name servers: what is asked of them, and until when.

The messages and their transport are dnspython's. Whom to ask next and when to give up is ours: its
resolver pauses between its attempts, also beyond a deadline.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from ipcraft.outbound.deadlines import Deadline
from ipcraft.outbound.failures import Unreachable
from ipcraft.outbound.hosts import Host
from ipcraft.outbound.special_purpose import Address

# Heavy, and not needed before the first name: dnspython is imported where it is used.
if TYPE_CHECKING:
    import dns.message
    import dns.name

_PORT = 53
_LAST_PORT = 65535
_WITH_PORT = re.compile(r"(?:\[(?P<ipv6>[^]]+)]|(?P<ipv4>[0-9.]+))(?::(?P<port>[0-9]{1,5}))?")
_PATIENCE = 2.0
"""Seconds a server has for an answer, where the configuration does not say."""
_ROUNDS = 2
_UDP_PAYLOAD = 1232
"""Bytes of an answer that travel unfragmented (https://www.dnsflagday.net/2020/)."""


@dataclass(frozen=True, slots=True)
class NameServer:
    """Say where to ask."""

    address: str
    port: int = _PORT

    @classmethod
    def of(cls, text: str) -> NameServer:
        """Read ``10.0.0.53``, ``10.0.0.53:5353``, ``2001:db8::53`` or ``[2001:db8::53]:5353``.

        Raises ValueError for anything else.
        """
        match = _WITH_PORT.fullmatch(text)
        if match is None:
            return cls(str(ip_address(text)))
        return cls(str(ip_address(match["ipv6"] or match["ipv4"])), _port(match["port"]))


@dataclass(slots=True)
class NameServers:
    """Ask the servers of a configuration: the one that answered last, else the next."""

    servers: Sequence[NameServer]
    search: Sequence[dns.name.Name] = ()
    """What may be missing at the end of a name."""
    dots: int = 1
    """From how many dots on a name is first taken as complete."""
    patience: float = _PATIENCE
    _preferred: int = field(default=0, compare=False)

    @classmethod
    def of(cls, configuration: Path) -> NameServers:
        """Read a file like ``/etc/resolv.conf``. Raises `Unreachable` when it names no server."""
        import dns.resolver

        try:
            read = dns.resolver.Resolver(filename=str(configuration))
        except (dns.resolver.NoResolverConfiguration, ValueError, OSError) as error:
            raise Unreachable("no name server is configured") from error
        return cls(
            servers=[NameServer(str(server), read.port) for server in read.nameservers],
            search=read.search or [],
            dots=1 if read.ndots is None else read.ndots,
            patience=read.timeout,
        )

    def addresses(self, host: Host, deadline: Deadline) -> tuple[Address, ...]:
        """Give all addresses of both families; none of them when the name does not exist.

        Raises `Unreachable` when that cannot be found out.
        """
        for name in self._names(host):
            if found := (
                *self._records(name, "A", deadline),
                *self._records(name, "AAAA", deadline),
            ):
                return found
        return ()

    def _names(self, host: Host) -> Iterator[dns.name.Name]:
        """Give the names that a host may mean, the likeliest first (resolv.conf(5))."""
        import dns.name

        name = dns.name.from_text(host.name)
        longer = [] if host.absolute else list(self._completed(name))
        complete = host.name.count(".") >= self.dots
        yield from (name, *longer) if complete else (*longer, name)

    def _completed(self, name: dns.name.Name) -> Iterator[dns.name.Name]:
        import dns.name

        for each in self.search:
            with suppress(dns.name.NameTooLong):
                yield name.relativize(dns.name.root).concatenate(each)

    def _records(self, name: dns.name.Name, kind: str, deadline: Deadline) -> tuple[Address, ...]:
        """Give the addresses of one family, at the end of however many aliases."""
        import dns.exception
        import dns.message

        question = dns.message.make_query(name, kind, use_edns=0, payload=_UDP_PAYLOAD)
        answer = self._ask(question, deadline)
        try:
            records = answer.resolve_chaining().answer
        except dns.exception.DNSException as error:
            raise Unreachable(f"a name server's answer about {name} makes no sense") from error
        return tuple(ip_address(record.address) for record in records or ())

    def _ask(self, question: dns.message.Message, deadline: Deadline) -> dns.message.QueryMessage:
        import dns.exception
        import dns.message
        import dns.rcode

        failure: Exception | None = None
        for place in self._places():
            try:
                answer = self._ask_one(self.servers[place], question, deadline)
            except (dns.exception.DNSException, OSError, EOFError) as error:
                failure = error
                continue
            if isinstance(answer, dns.message.QueryMessage) and answer.rcode() in (
                dns.rcode.NOERROR,
                dns.rcode.NXDOMAIN,
            ):
                self._preferred = place
                return answer
        deadline.remaining()
        raise Unreachable(
            f"no name server can say where {question.question[0].name} is"
        ) from failure

    def _places(self) -> Iterator[int]:
        """Give the servers in the order in which they are asked, twice around."""
        first, number = self._preferred, len(self.servers)
        return ((first + step) % number for step in range(number * _ROUNDS))

    def _ask_one(
        self, server: NameServer, question: dns.message.Message, deadline: Deadline
    ) -> dns.message.Message:
        import dns.message
        import dns.query

        try:
            return dns.query.udp(
                question,
                server.address,
                port=server.port,
                timeout=self._wait(deadline),
                # What somebody else sends in between is not listened to.
                ignore_unexpected=True,
                ignore_errors=True,
                raise_on_truncation=True,
            )
        except dns.message.Truncated:
            return dns.query.tcp(
                question, server.address, port=server.port, timeout=self._wait(deadline)
            )

    def _wait(self, deadline: Deadline) -> float:
        return min(self.patience, deadline.remaining())


def _port(text: str | None) -> int:
    port = _PORT if text is None else int(text)
    if not 1 <= port <= _LAST_PORT:
        raise ValueError(f"there is no port {text}")
    return port
