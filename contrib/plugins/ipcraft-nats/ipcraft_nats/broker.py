"""The broker: one connection for all threads, kept in an event loop with a thread of its own.

A connection that ends is not mended behind our back: what waits for an acknowledgement fails at
once, and the next delivery opens another one. So nothing is sent later than we know of, and the
order holds.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from nats.aio.client import Client
from nats.errors import Error, SecureConnWantedError
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from ipcraft_nats.configuration import Configuration

DUPLICATE_WINDOW = 600.0
"""Seconds for which a stream that we make knows ids again: longer than the core's longest pause."""

_MESSAGE_ID = "Nats-Msg-Id"
_PING_EVERY = 20
_GRACE = 2.0


class NotPublished(Exception):
    """Say why the stream may not have all of the messages."""


@dataclass(frozen=True, slots=True)
class Message:
    """Be what is published once, whatever happens: the stream knows the id again."""

    id: str
    subject: str
    body: bytes


class Connection(Client):
    """Be a connection that says nothing in the clear when it must not."""

    def __init__(self, configuration: Configuration) -> None:
        super().__init__()
        self._configuration = configuration
        self.ended = asyncio.get_running_loop().create_future()
        self.problems: list[Exception] = []

    async def open(self) -> JetStreamContext:
        """Connect and find the stream."""
        settings = self._configuration
        await self.connect(
            servers=list(settings.servers),
            name="ipcraft",
            tls=settings.tls,
            error_cb=self._note,
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            connect_timeout=max(1, round(settings.timeout)),
            ping_interval=_PING_EVERY,
            user=settings.user,
            password=settings.password,
            token=settings.token,
        )
        stream = self.jetstream(timeout=settings.timeout)
        await self._find(stream)
        return stream

    async def _find(self, stream: JetStreamContext) -> None:
        try:
            await stream.stream_info(self._configuration.stream)
        except NotFoundError:
            if not self._configuration.create_stream:
                raise
            await stream.add_stream(
                name=self._configuration.stream,
                subjects=[f"{self._configuration.subject}.>"],
                duplicate_window=DUPLICATE_WINDOW,
            )

    def _connect_command(self) -> bytes:
        # APPSEC: this client speaks TLS only if the server says so, in the clear; who stands
        # between could leave that out, and read the credentials that come next.
        if self._configuration.insists_on_tls and not self._server_info.get("tls_required"):
            raise SecureConnWantedError
        return super()._connect_command()

    async def _close(self, status: int, do_cbs: bool = True) -> None:  # noqa: FBT001, FBT002 - theirs
        """Close, and leave nothing behind.

        The client stops half way when its last words cannot be sent any more.
        """
        subscriptions = list(self._subs.values())
        try:
            await super()._close(status, do_cbs)
        finally:
            for each in subscriptions:
                each._stop_processing()
            if self._transport is not None:
                self._transport.close()
            if not self.ended.done():
                self.ended.set_result(None)

    async def _note(self, problem: Exception) -> None:
        self.problems.append(problem)


class Broker:
    """Publish to a stream, from any thread."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._opening = asyncio.Lock()
        self._connection: Connection | None = None
        self._stream: JetStreamContext | None = None

    def publish(self, messages: Sequence[Message]) -> None:
        """Publish the messages one after the other, and return when the stream keeps them.

        Raises `NotPublished`.
        """
        self._call(self._publish(messages)).result()

    def close(self) -> None:
        """Close the connection and end the thread; what is under way fails."""
        with self._starting:
            loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._end(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    def _call(self, work: Coroutine[Any, Any, None]) -> Future[None]:
        """Have it done in the loop, which begins with the first call: in the process it is in."""
        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="nats", daemon=True
                )
                self._thread.start()
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _publish(self, messages: Sequence[Message]) -> None:
        connection, stream = await self._open()
        publishing = asyncio.ensure_future(self._publish_to(stream, messages))
        await asyncio.wait({publishing, connection.ended}, return_when=asyncio.FIRST_COMPLETED)
        if not publishing.done():
            publishing.cancel()
            raise NotPublished("the connection ended before an acknowledgement")
        try:
            publishing.result()
        except TimeoutError as error:
            await self._drop(connection)
            waited = self._configuration.timeout
            raise NotPublished(f"no acknowledgement within {waited:g} seconds") from error
        except Error as error:
            raise NotPublished(str(error)) from error

    async def _publish_to(self, stream: JetStreamContext, messages: Sequence[Message]) -> None:
        for message in messages:
            async with asyncio.timeout(self._configuration.timeout):
                await stream.publish(
                    message.subject,
                    message.body,
                    timeout=self._configuration.timeout,
                    stream=self._configuration.stream,
                    headers={_MESSAGE_ID: message.id},
                )

    async def _open(self) -> tuple[Connection, JetStreamContext]:
        async with self._opening:
            if self._connection is None or self._stream is None or self._connection.is_closed:
                self._connection = Connection(self._configuration)
                self._stream = await self._connect(self._connection)
            return self._connection, self._stream

    async def _connect(self, connection: Connection) -> JetStreamContext:
        try:
            async with asyncio.timeout(self._configuration.timeout):
                return await connection.open()
        except (Error, OSError, TimeoutError) as error:
            await self._drop(connection)
            problem = next(iter(connection.problems), error)
            raise NotPublished(f"no connection: {_said(problem)}") from error

    async def _end(self) -> None:
        """Close the connection; whom that interrupts may say so before the loop ends."""
        await self._drop(self._connection)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if left:
            _, left = await asyncio.wait(left, timeout=_GRACE)
        for each in left:
            each.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _drop(self, connection: Connection | None) -> None:
        """Close a connection, whatever the server does, which may take nothing any more."""
        if connection is not None:
            with suppress(OSError):
                async with asyncio.timeout(_GRACE):
                    await connection.close()


def _said(problem: Exception) -> str:
    return str(problem) or type(problem).__name__
