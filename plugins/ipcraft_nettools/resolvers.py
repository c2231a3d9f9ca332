"""Resolvers: one question to several of them at once, each answer for itself.

They are asked from one thread, the caller's, by an event loop that ends with the deadline; nothing
is left behind. The messages are dnspython's. Their transport is ours: how much is read, and parsed,
has a bound here.
"""

from __future__ import annotations

import asyncio
import re
import struct
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipcraft.plugin import NameServer

# Heavy, and not needed before the first look-up.
if TYPE_CHECKING:
    import dns.message
    import dns.name
    import dns.rdata

DEADLINE = 6.0
"""Seconds that the resolvers have, together."""

_PATIENCE = 2.0
_TRIES = 3
_UDP_PAYLOAD = 1232
_LONGEST = 16 * 1024
"""Bytes of an answer by TCP that are read: more than any set of records that is of use."""
_MOST_RECORDS = 256
"""Records of an answer that are read. PERF: dnspython takes 40 us for each."""
_MOST_DATAGRAMS = 16
_TRUNCATED = 0x0200
"""The bit of a header that says so (RFC 1035, 4.1.1)."""
_LENGTH = struct.Struct("!H")
_HEADER = struct.Struct("!6H")
_SETTING = re.compile(r"(?P<name>[a-z0-9][a-z0-9_-]{0,31})=(?P<server>.+)")


@dataclass(frozen=True, slots=True)
class Resolver:
    """Name a server to ask."""

    name: str
    server: NameServer

    @classmethod
    def of(cls, text: str) -> Resolver:
        """Read ``google=8.8.8.8`` or ``ours=10.0.0.53:5353``. Raises ValueError."""
        match = _SETTING.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not NAME=ADDRESS, such as google=8.8.8.8")
        return cls(match["name"], NameServer.of(match["server"]))


@dataclass(frozen=True, slots=True)
class Reply:
    """Hold what a resolver said: a status of the DNS and records as texts, or why it failed."""

    status: str | None = None
    records: tuple[str, ...] = ()
    ttl: int | None = None
    """Seconds for which the resolver says that this holds, None where it does not."""
    error: str | None = None


def ask_all(
    resolvers: Sequence[Resolver], name: dns.name.Name, kind: str, *, seconds: float
) -> Mapping[str, Reply]:
    """Ask all of them for a name's records of a type, at once; each gives a reply in time."""
    return asyncio.run(_ask_all(resolvers, name, kind, seconds=seconds))


async def _ask_all(
    resolvers: Sequence[Resolver], name: dns.name.Name, kind: str, *, seconds: float
) -> Mapping[str, Reply]:
    replies = await asyncio.gather(
        *(_reply(each.server, name, kind, seconds=seconds) for each in resolvers)
    )
    return {each.name: reply for each, reply in zip(resolvers, replies, strict=True)}


async def _reply(server: NameServer, name: dns.name.Name, kind: str, *, seconds: float) -> Reply:
    import dns.exception
    import dns.message

    query = dns.message.make_query(name, kind, use_edns=0, payload=_UDP_PAYLOAD)
    try:
        async with asyncio.timeout(seconds):
            answer = await _exchange(server, query)
        return _read(answer)
    except TimeoutError:
        return Reply(error="does not answer in time")
    except _Unusable as error:
        return Reply(error=str(error))
    except (dns.exception.DNSException, EOFError):
        return Reply(error="gives an answer that makes no sense")
    except OSError as error:
        return Reply(error=f"cannot be reached: {error.strerror or error}")


class _Unusable(Exception):
    """Say in a sentence's end what a resolver does wrong."""


async def _exchange(server: NameServer, query: dns.message.Message) -> dns.message.Message:
    for _ in range(_TRIES):
        try:
            async with asyncio.timeout(_PATIENCE):
                answer = await _by_udp(server, query)
        except TimeoutError:
            continue
        return answer or await _by_tcp(server, query)
    raise TimeoutError


class _Datagrams(asyncio.DatagramProtocol):
    """Keep what comes; what comes too fast is dropped, as the network may do."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[bytes | Exception] = asyncio.Queue(_MOST_DATAGRAMS)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Keep a datagram."""
        self._keep(data)

    def error_received(self, exc: Exception) -> None:
        """Keep the network's word that nobody is there."""
        self._keep(exc)

    def _keep(self, item: bytes | Exception) -> None:
        if not self.received.full():
            self.received.put_nowait(item)


async def _by_udp(server: NameServer, query: dns.message.Message) -> dns.message.Message | None:
    """Ask by UDP; give None where the answer is too long for it.

    The socket is connected: only the server is heard, and that nothing listens is known at once.
    """
    transport, datagrams = await asyncio.get_running_loop().create_datagram_endpoint(
        _Datagrams, remote_addr=(server.address, server.port)
    )
    with closing(transport):
        transport.sendto(query.to_wire())
        while True:
            received = await datagrams.received.get()
            if isinstance(received, Exception):
                raise received
            if _is_cut(received, query):
                return None
            # Whatever is no answer to this question may be somebody else's, and is passed over.
            with suppress(_Foreign):
                return _parsed(received, query)


async def _by_tcp(server: NameServer, query: dns.message.Message) -> dns.message.Message:
    reader, writer = await asyncio.open_connection(server.address, server.port)
    with closing(writer):
        wire = query.to_wire()
        writer.write(_LENGTH.pack(len(wire)) + wire)
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        if length > _LONGEST:
            raise _Unusable(f"gives an answer of {length} bytes; at most {_LONGEST} are read")
        return _parsed(await reader.readexactly(length), query)


def _is_cut(wire: bytes, query: dns.message.Message) -> bool:
    if len(wire) < _HEADER.size:
        return False
    number, flags, *_ = _HEADER.unpack_from(wire)
    return number == query.id and bool(flags & _TRUNCATED)


class _Foreign(_Unusable):
    """Say that a message is no answer to the question."""


def _parsed(wire: bytes, query: dns.message.Message) -> dns.message.Message:
    """Read a message; dnspython alone would parse whatever comes."""
    import dns.exception
    import dns.message

    if len(wire) < _HEADER.size:
        raise _Foreign("gives an answer that makes no sense")
    number, _, _, *counts = _HEADER.unpack_from(wire)
    if number != query.id:
        raise _Foreign("answers another question")
    if sum(counts) > _MOST_RECORDS:
        raise _Unusable(f"gives {sum(counts)} records; at most {_MOST_RECORDS} are read")
    try:
        answer = dns.message.from_wire(wire)
    except dns.exception.DNSException as error:
        raise _Foreign("gives an answer that makes no sense") from error
    if not query.is_response(answer):
        raise _Foreign("answers another question")
    return answer


def _read(answer: dns.message.Message) -> Reply:
    import dns.message
    import dns.rcode
    import dns.rdatatype

    rcode = answer.rcode()
    status = dns.rcode.to_text(rcode)
    if rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return Reply(error=f"answers {status}")
    assert isinstance(answer, dns.message.QueryMessage)
    found = answer.resolve_chaining()
    known = found.answer is not None or any(
        each.rdtype == dns.rdatatype.SOA for each in answer.authority
    )
    return Reply(
        status,
        tuple(sorted(map(_text, found.answer or ()))),
        ttl=found.minimum_ttl if known else None,
    )


def _text(record: dns.rdata.Rdata) -> str:
    """Write a record as people do: texts without quotes, names without the dot at their end."""
    import dns.name
    from dns.rdtypes.txtbase import TXTBase

    if isinstance(record, TXTBase):
        return b"".join(record.strings).decode("utf-8", "replace")
    text = record.to_text(origin=dns.name.root, relativize=True)
    return re.sub(r"(^|(?<= ))@(?= |$)", ".", text)
