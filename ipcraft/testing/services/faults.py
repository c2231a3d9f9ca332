"""A TCP proxy that spoils connections on demand."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Coroutine
from dataclasses import dataclass
from threading import Thread

from sqlalchemy.engine import make_url

from ipcraft.testing.services.endings import Ending
from ipcraft.testing.services.processes import LOOPBACK, free_port

_CHUNK = 65536
_PATIENCE = 10.0
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER for no time: close sends RST


class FaultProxy(Ending):
    """Forward a loopback port to a server, well or badly.

    >>> with FaultProxy(server.host, server.port) as proxy:
    ...     url = proxy.url(database_url)
    ...     proxy.black_hole()
    ...     proxy.heal()

    A fault acts on open and on new connections and lasts until the next `heal`; `reset` alone
    is done once. Faults add up.
    """

    def __init__(self, host: str, port: int) -> None:
        self.port = free_port()
        """The loopback port to connect to."""
        self._target = (host, port)
        self._latency = 0.0
        self._links: dict[asyncio.Task[object], _Link] = {}
        self._allowance: int | None = None
        self._server: asyncio.Server | None = None
        self._flowing = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)
        self._thread.start()
        try:
            self.heal()
        except BaseException:
            self.close()
            raise

    def url(self, database_url: str) -> str:
        """Give a database's URL with the proxy in the place of its server."""
        through = make_url(database_url).set(host=LOOPBACK, port=self.port)
        return through.render_as_string(hide_password=False)

    def latency(self, seconds: float) -> None:
        """Hold every piece of data back for so long, in both directions."""
        self._order(self._delay(seconds))

    def cut(self, *, after: int) -> None:
        """Close each connection when so many further bytes of the server have passed."""
        self._order(self._limit(after))

    def reset(self) -> None:
        """Reset every open connection (RST); new ones are served."""
        self._order(self._reset())

    def black_hole(self) -> None:
        """Accept connections and data and pass nothing on; `heal` lets what was held flow."""
        self._order(self._hold())

    def down(self) -> None:
        """Reset every open connection and refuse new ones."""
        self._order(self._shut())

    def heal(self) -> None:
        """Forward well again."""
        self._order(self._heal())

    def close(self) -> None:
        """Close the port and every connection, and end the thread."""
        self._order(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE)
        self._loop.close()

    def _order(self, work: Coroutine[object, object, None]) -> None:
        """Have the proxy's thread do something, and wait until it is done."""
        asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE)

    async def _delay(self, seconds: float) -> None:
        self._latency = seconds

    async def _limit(self, after: int) -> None:
        self._allowance = after
        for link in self._links.values():
            link.remaining = after

    async def _reset(self) -> None:
        for link in self._links.values():
            link.reset()

    async def _hold(self) -> None:
        self._flowing.clear()

    async def _shut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._reset()

    async def _heal(self) -> None:
        self._latency = 0.0
        self._allowance = None
        for link in self._links.values():
            link.remaining = None
        self._flowing.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, LOOPBACK, self.port)

    async def _end(self) -> None:
        await self._shut()
        tasks = list(self._links)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Join one client to the server until either side ends."""
        task = asyncio.current_task()
        assert task is not None
        link = self._links[task] = _Link([writer], remaining=self._allowance)
        try:
            answers, requests = await asyncio.open_connection(*self._target)
            link.writers.append(requests)
            if self._server is None:  # it went down while we connected
                link.reset()
            async with asyncio.TaskGroup() as pumps:
                pumps.create_task(self._send(reader, requests))
                pumps.create_task(self._answer(answers, writer, link=link))
        except* OSError:
            link.reset()
        finally:
            link.close()
            del self._links[task]

    async def _send(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what the client says."""
        while data := await self._next(reader):
            writer.write(data)
            await writer.drain()
        _finish(writer)

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, link: _Link
    ) -> None:
        """Pass on what the server says, as far as the cut allows."""
        while data := await self._next(reader):
            data = link.take(data)
            writer.write(data)
            await writer.drain()
            if link.remaining == 0:
                link.close()
                return
        _finish(writer)

    async def _next(self, reader: asyncio.StreamReader) -> bytes:
        """Read the next piece and hold it as long as latency and the black hole want."""
        data = await reader.read(_CHUNK)
        if self._latency:
            await asyncio.sleep(self._latency)
        await self._flowing.wait()
        return data


@dataclass(slots=True, eq=False)
class _Link:
    """One client's connection through the proxy: the ways to the client and to the server."""

    writers: list[asyncio.StreamWriter]
    remaining: int | None

    def take(self, data: bytes) -> bytes:
        """Give the part of the data that may still pass."""
        if self.remaining is None:
            return data
        data = data[: self.remaining]
        self.remaining -= len(data)
        return data

    def close(self) -> None:
        """Close both sides; what was written still arrives."""
        for writer in self.writers:
            writer.close()

    def reset(self) -> None:
        """Reset both sides; what was written and not sent is lost."""
        for writer in self.writers:
            if not writer.transport.is_closing():
                writer.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE
                )
                writer.transport.abort()


def _finish(writer: asyncio.StreamWriter) -> None:
    """Pass on that the other side has nothing more to say."""
    if not writer.transport.is_closing():
        writer.write_eof()
