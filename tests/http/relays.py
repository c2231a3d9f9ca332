"""A relay between us and a server, which counts how often we wait for an answer."""

from __future__ import annotations

import selectors
import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from ipcraft.testing.services import free_port

_LOOPBACK = "127.0.0.1"
_CHUNK = 1 << 16
_TICK = 0.05


class Relay:
    """Forward a loopback port to a server, and count round trips.

    One begins when the client speaks for the first time, or after the server has. What is sent
    together, or one by one without waiting for an answer, is one.
    """

    def __init__(self, host: str, port: int) -> None:
        self.port = free_port()
        self.round_trips = 0
        """Over all connections, since the beginning."""
        self._target = (host, port)
        self._listener = socket.create_server((_LOOPBACK, self.port))
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def close(self) -> None:
        """Close the port and every connection."""
        self._ended.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _start(self, work: object, *arguments: socket.socket) -> None:
        thread = threading.Thread(target=work, args=arguments)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        self._listener.settimeout(_TICK)
        while not self._ended.is_set():
            with suppress(TimeoutError):
                client, _ = self._listener.accept()
                self._start(self._forward, client)

    def _forward(self, client: socket.socket) -> None:
        with (
            client,
            socket.create_connection(self._target) as server,
            selectors.DefaultSelector() as selector,
        ):
            selector.register(client, selectors.EVENT_READ, server)
            selector.register(server, selectors.EVENT_READ, client)
            waiting = False
            while not self._ended.is_set():
                for key, _ in selector.select(_TICK):
                    speaker: socket.socket = key.fileobj  # type: ignore[assignment]
                    with suppress(ConnectionError):
                        data = speaker.recv(_CHUNK)
                        if not data:
                            return
                        if speaker is client and not waiting:
                            self.round_trips += 1
                        waiting = speaker is client
                        key.data.sendall(data)
