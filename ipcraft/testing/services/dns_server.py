"""A name server on loopback that answers what a test says, also badly."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Coroutine, Iterable
from contextlib import closing
from dataclasses import dataclass
from ipaddress import ip_address
from threading import Thread
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from ipcraft.testing.services.endings import Ending
from ipcraft.testing.services.processes import LOOPBACK

_PATIENCE = 10.0
_TTL = 300
_LONGEST = 65535
_LENGTH = struct.Struct("!H")
_KINDS = {"A": 4, "AAAA": 6}


@dataclass(frozen=True, slots=True)
class Question:
    """Hold what somebody asked: a name without the dot at its end, and ``A`` or another type."""

    name: str
    kind: str
    transport: str


class DNSServer(Ending):
    """Answer by UDP and TCP from what was told.

    >>> with DNSServer() as server:
    ...     server.tell("good.example", "8.8.8.8", "2606:4700::1")
    ...     server.alias("www.good.example", "good.example")
    ...     settings = {"outbound_name_servers": [server.address]}

    What nobody told of does not exist.
    """

    def __init__(self) -> None:
        self.questions: list[Question] = []
        """What was asked, in its order."""
        self.silent = False
        """Whether nothing is answered."""
        self.delay = 0.0
        """Seconds to wait before each answer."""
        self.truncates = False
        """Whether answers by UDP are cut, so that the question comes again by TCP."""
        self.negative_ttl: int | None = None
        """Seconds for which it may be believed that there is nothing (RFC 2308); None: not said."""
        self.prefix = b""
        """Datagrams that are no answers go before each one by UDP."""
        self._addresses: dict[str, list[tuple[str, ...]]] = {}
        self._records: dict[tuple[str, str], dns.rrset.RRset] = {}
        self._aliases: dict[str, str] = {}
        self._failures: dict[tuple[str, str], dns.rcode.Rcode] = {}
        self._udp, self._tcp = _sockets()
        self.port: int = self._udp.getsockname()[1]
        """The port, of UDP and of TCP."""
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="dns-server", daemon=True)
        self._thread.start()
        self._order(self._begin())

    @property
    def address(self) -> str:
        """Give address and port, as the settings have a name server."""
        return f"{LOOPBACK}:{self.port}"

    def tell(self, name: str, *addresses: str) -> None:
        """Have the name lead to these addresses, of both families, from now on."""
        self.tell_in_turn(name, addresses)

    def tell_in_turn(self, name: str, *turns: Iterable[str]) -> None:
        """Have the name lead elsewhere each time its IPv4 addresses are asked for.

        The last turn stays.
        """
        self._addresses[name.lower()] = [tuple(turn) for turn in turns]

    def tell_records(self, name: str, kind: str, *values: str, ttl: int = _TTL) -> None:
        """Have the name these records of a type, as zone files write them.

        >>> server.tell_records("good.example", "MX", "10 mail.good.example.", ttl=60)
        """
        name = name.lower()
        self._records[name, kind] = dns.rrset.from_text_list(f"{name}.", ttl, "IN", kind, values)

    def alias(self, name: str, target: str) -> None:
        """Make the name an alias (CNAME) of another one."""
        self._aliases[name.lower()] = target.lower()

    def fail(self, name: str, kind: str, rcode: str = "SERVFAIL") -> None:
        """Answer questions for the name's records of this type with an error."""
        self._failures[name.lower(), kind] = dns.rcode.from_text(rcode)

    def close(self) -> None:
        """Close the port and end the thread."""
        self._order(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE)
        self._loop.close()

    def _order(self, work: Coroutine[object, object, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE)

    async def _begin(self) -> None:
        self._datagrams, _ = await self._loop.create_datagram_endpoint(
            lambda: _Datagrams(self), sock=self._udp
        )
        self._server = await asyncio.start_server(self._serve, sock=self._tcp)

    async def _end(self) -> None:
        self._datagrams.close()
        self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
            wire = await reader.readexactly(length)
            if (answer := await self.answer(wire, transport="tcp")) is not None:
                text = answer.to_wire(max_size=_LONGEST)
                writer.write(_LENGTH.pack(len(text)) + text)
                await writer.drain()

    async def answer(self, wire: bytes, *, transport: str) -> dns.message.Message | None:
        """Give the answer to a question, or None to say nothing."""
        query = dns.message.from_wire(wire)
        (asked,) = query.question
        name = asked.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(asked.rdtype)
        self.questions.append(Question(name, kind, transport))
        if self.silent:
            return None
        if self.delay:
            await asyncio.sleep(self.delay)
        answer = dns.message.make_response(query, recursion_available=True)
        self._fill(answer, name, kind)
        return answer

    def _fill(self, answer: dns.message.Message, name: str, kind: str) -> None:
        """Follow the aliases, at most once around, to the records."""
        followed: set[str] = set()
        while name in self._aliases and name not in followed:
            followed.add(name)
            answer.answer.append(_records(name, "CNAME", [f"{self._aliases[name]}."]))
            name = self._aliases[name]
        if failure := self._failures.get((name, kind)):
            answer.set_rcode(failure)
        elif (name, kind) in self._records:
            answer.answer.append(self._records[name, kind])
        elif name in self._addresses:
            wanted = [each for each in self._turn(name, kind) if _is(each, kind)]
            answer.answer += [_records(name, kind, wanted)] if wanted else []
        elif name not in followed and all(name != known for known, _ in self._records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        if self.negative_ttl is not None and not answer.answer:
            soa = f"ns.{name}. who.{name}. 1 3600 600 86400 {self.negative_ttl}"
            answer.authority.append(_records(name, "SOA", [soa]))

    def _turn(self, name: str, kind: str) -> tuple[str, ...]:
        turns = self._addresses[name]
        asked = Question(name, "A", "udp")
        place = self.questions.count(asked) - 1
        return turns[max(0, min(place, len(turns) - 1))]


class _Datagrams(asyncio.DatagramProtocol):
    """Answer questions by UDP."""

    def __init__(self, server: DNSServer) -> None:
        self._server = server
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to answer."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Begin an answer."""
        task = asyncio.ensure_future(self._answer(data, addr))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = await self._server.answer(data, transport="udp")
        if self._server.prefix:
            self._transport.sendto(self._server.prefix, addr)
        if answer is None:
            return
        try:
            text = (
                b"" if self._server.truncates else answer.to_wire(max_size=answer.request_payload)
            )
        except dns.exception.TooBig:
            text = b""
        if not text:
            answer.answer.clear()
            answer.flags |= dns.flags.TC
        self._transport.sendto(text or answer.to_wire(), addr)


def _records(name: str, kind: str, values: Iterable[str]) -> dns.rrset.RRset:
    return dns.rrset.from_text_list(f"{name}.", _TTL, "IN", kind, list(values))


def _is(address: str, kind: str) -> bool:
    return ip_address(address).version == _KINDS.get(kind)


def _sockets() -> tuple[socket.socket, socket.socket]:
    """Bind one port of both transports."""
    while True:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind((LOOPBACK, 0))
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            tcp.bind(udp.getsockname())
        except OSError:
            udp.close()
            tcp.close()
            continue
        return udp, tcp
