"""A WHOIS server on loopback that answers what a test says, also badly."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Event, Thread
from typing import Literal

from ipcraft.testing.services.endings import Ending
from ipcraft.testing.services.processes import LOOPBACK

Manner = Literal["whole", "silent", "drip", "endless", "lingering", "reset"]
"""How an answer is given.

``whole``      as it should be, and the connection ends
``silent``     nothing is ever said
``drip``       byte by byte, `WhoisServer.pause` seconds apart, and from the beginning again
``endless``    again and again, as fast as it is taken
``lingering``  as it should be, but the connection does not end
``reset``      half of it, and the connection is reset
"""

_PATIENCE = 10.0
_LONGEST_QUERY = 4096
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER for no time: close sends RST


@dataclass(frozen=True, slots=True)
class _Answer:
    text: bytes
    manner: Manner


class WhoisServer(Ending):
    """Answer queries (RFC 3912) from what was told.

    >>> with WhoisServer() as server:
    ...     server.tell("example.com", "Domain Name: EXAMPLE.COM")
    ...     settings = {"whois_server": server.address}

    What nobody told of gets `nothing`.
    """

    def __init__(self) -> None:
        self.queries: list[str] = []
        """What was asked, in its order: lines without their end."""
        self.connections = 0
        """Connections that were ever opened."""
        self.nothing = "% No match\r\n"
        self.pause = 0.001
        self._answers: dict[str, _Answer] = {}
        self.ending = Event()
        self._server = _Server((LOOPBACK, 0), self)
        self.port: int = self._server.server_address[1]
        self._thread = Thread(
            target=self._server.serve_forever, args=(0.02,), name="whois-server", daemon=True
        )
        self._thread.start()

    @property
    def address(self) -> str:
        """Give address and port, as the settings have a server."""
        return f"{LOOPBACK}:{self.port}"

    def tell(self, query: str, text: str | bytes, *, manner: Manner = "whole") -> None:
        """Answer this line with the text from now on."""
        encoded = text.encode() if isinstance(text, str) else text
        self._answers[query] = _Answer(encoded, manner)

    def close(self) -> None:
        """Close the port and every connection."""
        self.ending.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(_PATIENCE)

    def answer(self, connection: socket.socket, query: str) -> None:
        """Answer a query."""
        self.queries.append(query)
        found = self._answers.get(query) or _Answer(self.nothing.encode(), "whole")
        with suppress(OSError):  # the other side has had enough
            _MANNERS[found.manner](self, connection, found.text)


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 128
    daemon_threads = False  # so that closing waits for them

    def __init__(self, address: tuple[str, int], owner: WhoisServer) -> None:
        super().__init__(address, _Handler)
        self.owner = owner


class _Handler(StreamRequestHandler):
    timeout = _PATIENCE

    def handle(self) -> None:
        """Read the one line that there is, and answer it."""
        assert isinstance(self.server, _Server)
        owner = self.server.owner
        owner.connections += 1
        with suppress(OSError):
            line = self.rfile.readline(_LONGEST_QUERY).decode("latin-1")
            owner.answer(self.connection, line.removesuffix("\n").removesuffix("\r"))


def _whole(server: WhoisServer, connection: socket.socket, text: bytes) -> None:
    connection.sendall(text)


def _silent(server: WhoisServer, connection: socket.socket, text: bytes) -> None:
    server.ending.wait(_PATIENCE)


def _drip(server: WhoisServer, connection: socket.socket, text: bytes) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while True:
        for byte in text:
            if server.ending.wait(server.pause):
                return
            connection.sendall(bytes([byte]))


def _endless(server: WhoisServer, connection: socket.socket, text: bytes) -> None:
    while not server.ending.is_set():
        connection.sendall(text * (1 + 65536 // len(text)))


def _lingering(server: WhoisServer, connection: socket.socket, text: bytes) -> None:
    connection.sendall(text)
    server.ending.wait(_PATIENCE)


def _reset(server: WhoisServer, connection: socket.socket, text: bytes) -> None:
    connection.sendall(text[: len(text) // 2])
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    connection.close()


_MANNERS: Mapping[Manner, Callable[[WhoisServer, socket.socket, bytes], None]] = {
    "whole": _whole,
    "silent": _silent,
    "drip": _drip,
    "endless": _endless,
    "lingering": _lingering,
    "reset": _reset,
}
