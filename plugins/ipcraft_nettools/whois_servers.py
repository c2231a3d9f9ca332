"""WHOIS servers (RFC 3912): a line is sent, and what comes is read until the end, or enough.

There is no library for it that could be used against servers of strangers: what libraries read has
no bound, and they follow whatever a server refers to.
"""

from __future__ import annotations

import codecs
import re
import socket
import time
from contextlib import closing
from dataclasses import dataclass

from ipcraft.plugin import Deadline, Refused, Unreachable, read_host

KEPT = 64 * 1024
"""Bytes of an answer that are read."""

PORT = 43

_LAST_PORT = 65535
_WITH_PORT = re.compile(
    r"(?P<host>[^\[\]:\s]{1,253}|\[[0-9a-fA-F:.]{2,64}\])(?::(?P<port>[0-9]{1,5}))?"
)
_BREATH = 0.02
"""Seconds between two reads. APPSEC: else a server that sends byte by byte wakes us each time."""

_LINES = {
    "whois.arin.net": "n + {}",  # without it only a summary comes where several networks match
    "whois.denic.de": "-T dn,ace {}",  # without it only whether the domain exists
    "whois.jprs.jp": "{}/e",  # in English
    "whois.verisign-grs.com": "domain {}",  # without it also name servers that begin alike
}
"""What servers want to be sent, where that is not the query alone."""


@dataclass(frozen=True, slots=True)
class WhoisServer:
    """Say where to ask: a host in ASCII and lower case, and a port."""

    host: str
    port: int = PORT

    @classmethod
    def of(cls, text: str) -> WhoisServer:
        """Read ``whois.iana.org``, ``127.0.0.1:4343`` or ``[2001:db8::1]:43``.

        Raises ValueError for anything else.
        """
        match = _WITH_PORT.fullmatch(text)
        if match is None:
            raise ValueError(f"{text[:80]!r} is not a host, with a port or without")
        port = int(match["port"] or PORT)
        if not 1 <= port <= _LAST_PORT:
            raise ValueError(f"there is no port {port}")
        try:
            return cls(read_host(match["host"].strip("[]")).name, port)
        except Refused as error:
            raise ValueError(error.reason) from error

    def line(self, query: str) -> bytes:
        """Give what is sent for a query, a name or an address as parameters have read it."""
        return _LINES.get(self.host, "{}").format(query).encode("ascii") + b"\r\n"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORT else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Transcript:
    """Hold what a server said, with bare line feeds; not `complete`: there was more to come."""

    server: WhoisServer
    text: str
    complete: bool


def converse(
    opened: socket.socket, server: WhoisServer, query: str, *, deadline: Deadline
) -> Transcript:
    """Send a query on a connection, read the answer, and close.

    Raises `Unreachable` when nothing comes.
    """
    with closing(opened):
        try:
            opened.settimeout(deadline.remaining())
            opened.sendall(server.line(query))
            data, complete = _read(opened, deadline)
        except TimeoutError as error:
            raise deadline.passed() from error
        except OSError as error:
            raise Unreachable(f"the connection fails: {error.strerror or error}") from error
    return Transcript(server, _text(data), complete)


def _read(opened: socket.socket, deadline: Deadline) -> tuple[bytes, bool]:
    """Give what comes and whether that is all; what came before a failure counts."""
    kept = bytearray()
    try:
        while len(kept) < KEPT:
            opened.settimeout(deadline.remaining())
            data = opened.recv(KEPT - len(kept))
            if not data:
                return bytes(kept), True
            kept += data
            time.sleep(min(_BREATH, deadline.remaining()))
    except (OSError, Unreachable):
        if not kept:
            raise
    return bytes(kept), False


def _text(data: bytes) -> str:
    """Decode UTF-8, where the last character may be cut, or else Latin-1."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text.replace("\r\n", "\n")
