"""A receiver in a process of its own, as light as Python can: it notes when what arrived.

``python -m bench.receiver PORT`` answers 200 to every POST, but at ``/hole`` nothing, at
``/drip`` a byte a second, at ``/reset`` with a reset in the middle. ``GET /`` gives what arrived:
path, id and time of each request, and begins anew.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from threading import Event

import orjson

from ipcraft.testing.services import free_port

_HOST = "127.0.0.1"
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_TAKEN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_BEGUN = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf of"
_CONTRIB = Path(__file__).resolve().parent.parent

Arrival = tuple[str, str, float]
"""Path, id and time in seconds since the epoch."""


class _Connection(asyncio.Protocol):
    """Answer the requests of one connection."""

    def __init__(self, arrivals: list[Arrival]) -> None:
        self._arrivals = arrivals
        self._received = b""
        self._dripping: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what is written to."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take every whole request out of what came."""
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end]
            length = _header(head, b"content-length")
            whole = end + 4 + int(length or b"0")
            if len(self._received) < whole:
                return
            self._received = self._received[whole:]
            self._answer(head)

    def _answer(self, head: bytes) -> None:
        method, path, _ = head.split(b" ", 2)
        if method == b"GET":
            content = orjson.dumps(self._arrivals)
            self._arrivals.clear()
            length = len(content)
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length + content
            )
            return
        self._arrivals.append((path.decode(), _header(head, b"webhook-id").decode(), time.time()))
        match path:
            case b"/hole":
                return
            case b"/drip":
                self._dripping.add(asyncio.ensure_future(self._drip()))
            case b"/reset":
                self._transport.write(_BEGUN)
                held = self._transport.get_extra_info("socket")
                held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
                self._transport.abort()
            case _:
                self._transport.write(_TAKEN)

    async def _drip(self) -> None:
        for byte in _BEGUN * 10:
            if self._transport.is_closing():
                return
            self._transport.write(bytes([byte]))
            await asyncio.sleep(1)


class Receiver:
    """Be a receiver's process."""

    def __init__(self, port: int) -> None:
        self.url = f"http://{_HOST}:{port}/"
        self._port = port

    def arrivals(self) -> list[Arrival]:
        """Give what arrived since the last time."""
        connection = HTTPConnection(_HOST, self._port, timeout=60)
        connection.request("GET", "/")
        found = orjson.loads(connection.getresponse().read())
        connection.close()
        return [(path, identifier, at) for path, identifier, at in found]


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Run a receiver."""
    port = free_port()
    command = [sys.executable, "-m", "bench.receiver", str(port)]
    process = subprocess.Popen(command, cwd=_CONTRIB)
    pause = Event()
    try:
        while True:
            try:
                Receiver(port).arrivals()
                break
            except ConnectionRefusedError:
                pause.wait(0.05)
        yield Receiver(port)
    finally:
        process.terminate()
        process.wait()


def _header(head: bytes, name: bytes) -> bytes:
    at = head.lower().find(b"\r\n" + name + b":")
    return head[at + len(name) + 3 :].split(b"\r\n", 1)[0].strip() if at >= 0 else b""


async def _serve(port: int) -> None:
    arrivals: list[Arrival] = []
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(arrivals), _HOST, port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
