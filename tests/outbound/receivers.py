"""Receivers: servers whose every byte a test says, and the scripts of the common ones."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Self

_LOOPBACK = "127.0.0.1"
_PATIENCE = 10.0
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Visit:
    """Hold one connection of a client, as a script uses it."""

    def __init__(self, opened: socket.socket, ended: Event, *, number: int) -> None:
        self.socket = opened
        self.number = number
        """How many connections there were before this one."""
        self._ended = ended
        self._unread = b""

    def request(self) -> bytes:
        """Give the next request, head and body; nothing when the client has ended."""
        while b"\r\n\r\n" not in self._unread:
            if not self._read():
                return b""
        head, _, rest = self._unread.partition(b"\r\n\r\n")
        lines = [line.partition(b":") for line in head.lower().split(b"\r\n")]
        length = next((int(value) for name, _, value in lines if name == b"content-length"), 0)
        while len(rest) < length:
            before = len(self._unread)
            if not self._read():
                return b""
            rest += self._unread[before:]
        self._unread = rest[length:]
        return head + b"\r\n\r\n" + rest[:length]

    def say(self, data: bytes) -> None:
        """Send."""
        self.socket.sendall(data)

    def pause(self, seconds: float) -> None:
        """Wait, but no longer than the receiver lives."""
        self._ended.wait(seconds)

    def going_on(self) -> bool:
        """Tell whether the receiver is still there."""
        return not self._ended.is_set()

    def linger(self) -> None:
        """Do nothing until the client gives up."""
        while self._read():
            pass

    def reset(self) -> None:
        """End with RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.socket.close()

    def _read(self) -> bytes:
        data = self.socket.recv(65536)
        self._unread += data
        return data


Script = Callable[[Visit], None]


class Receiver:
    """Serve each connection by a script, in a thread of its own.

    `address` may be another one of 127.0.0.0/8. With a `context` it speaks TLS.
    """

    def __init__(
        self,
        script: Script,
        *,
        context: ssl.SSLContext | None = None,
        address: str = _LOOPBACK,
        port: int = 0,
    ) -> None:
        self.requests: list[bytes] = []
        """What `serve` and its like were asked."""
        self.connections = 0
        """How many clients have come."""
        self._script = script
        self._context = context
        self._ended = Event()
        self._lock = Lock()
        self._open: dict[socket.socket, Thread] = {}
        self._listener = socket.create_server((address, port), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._thread = Thread(target=self._listen, name="receiver", daemon=True)
        self._thread.start()

    def url(self, path: str = "/", *, host: str = _LOOPBACK) -> str:
        """Give the address of a path."""
        return f"http{'s' if self._context else ''}://{host}:{self.port}{path}"

    def close(self) -> None:
        """Refuse connections and end the open ones."""
        self._ended.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(_PATIENCE)
        with self._lock:
            threads = list(self._open.values())
            for opened in self._open:
                with suppress(OSError):
                    opened.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(_PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                opened, _ = self._listener.accept()
                thread = Thread(target=self._receive, args=(opened, self.connections), daemon=True)
                self.connections += 1
                with self._lock:
                    self._open[opened] = thread
                thread.start()

    def _receive(self, opened: socket.socket, number: int) -> None:
        try:
            with suppress(OSError):
                spoken = (
                    self._context.wrap_socket(
                        opened, server_side=True, do_handshake_on_connect=False
                    )
                    if self._context
                    else opened
                )
                with spoken:
                    if isinstance(spoken, ssl.SSLSocket):
                        self._take_over(opened, spoken)
                        spoken.do_handshake()
                    self._script(Visit(spoken, self._ended, number=number))
        finally:
            with self._lock:
                self._open = {
                    each: thread for each, thread in self._open.items() if each.fileno() != -1
                }

    def _take_over(self, opened: socket.socket, spoken: ssl.SSLSocket) -> None:
        with self._lock:
            self._open[spoken] = self._open.pop(opened)


def serve(receiver: list[bytes], answer: bytes = OK) -> Script:
    """Make a script that answers every request alike and notes what was asked."""

    def script(visit: Visit) -> None:
        while request := visit.request():
            receiver.append(request)
            visit.say(answer)

    return script


def once(answer: bytes) -> Script:
    """Make a script that answers one request and ends the connection."""

    def script(visit: Visit) -> None:
        visit.request()
        visit.say(answer)

    return script
