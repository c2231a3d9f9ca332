"""A real HTTP server that takes what webhooks send, verifies it, and misbehaves on demand."""

from __future__ import annotations

import asyncio
import gzip
import hmac
import random
import socket
import struct
import time
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from threading import Condition, RLock, Thread
from typing import Any, Literal, Self

import orjson

from ipcraft.testing.services.endings import Ending
from ipcraft.testing.services.processes import DEADLINE, LOOPBACK, ServiceFailed

Manner = Literal["whole", "reset", "silent", "drip", "endless", "bomb", "long_header"]
"""How an answer is given.

``whole``        as it should be
``reset``        the connection is reset in the middle of the answer
``silent``       nothing is ever said
``drip``         a byte a second
``endless``      a body that does not end
``bomb``         a small gzip body that is a gigabyte unpacked
``long_header``  a header of a megabyte
"""

TOLERANCE = 300
"""Seconds by which a signature's time may differ from ours."""

_PREFIX = "whsec_"
_BOMB = 1 << 30
_MEBIBYTE = 1 << 20
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER for no time: close sends RST
_PATIENCE = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Say how a receiver answers a request."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0.0
    """Seconds before the answer begins."""
    manner: Manner = "whole"


@dataclass(frozen=True, slots=True)
class Delivered:
    """Hold a request as a receiver got it. Names of headers are in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float
    """When it was there, in seconds since the epoch."""

    @property
    def id(self) -> str:
        """Give what is the same over all attempts at an event."""
        return self.headers["webhook-id"]

    @property
    def event(self) -> Any:
        """Give the body's JSON."""
        return orjson.loads(self.body)

    def is_signed_with(self, secret: str, *, now: float | None = None) -> bool:
        """Tell whether both signatures are of this secret and recent."""
        return self._is_timed(secret, now) and self._is_standard(secret, now)

    def _is_timed(self, secret: str, now: float | None) -> bool:
        """Verify ``X-Webhook-Signature``: the key is the whole secret."""
        parts = [part.partition("=") for part in self._header("x-webhook-signature").split(",")]
        stamp = next((value for name, _, value in parts if name == "t"), "")
        expected = hmac.digest(secret.encode(), f"{stamp}.".encode() + self.body, "sha256").hex()
        given = [value for name, _, value in parts if name == "v1"]
        return _is_recent(stamp, now) and _any_is(expected, given)

    def _is_standard(self, secret: str, now: float | None) -> bool:
        """Verify the headers of the Standard Webhooks: the key is what follows the prefix."""
        stamp = self._header("webhook-timestamp")
        signed = f"{self._header('webhook-id')}.{stamp}.".encode() + self.body
        digest = hmac.digest(b64decode(secret.removeprefix(_PREFIX)), signed, "sha256")
        given = self._header("webhook-signature").split(" ")
        return _is_recent(stamp, now) and _any_is(f"v1,{b64encode(digest).decode()}", given)

    def _header(self, name: str) -> str:
        return self.headers.get(name, "")


class WebhookReceiver(Ending):
    """Take deliveries on a free loopback port, and keep those that are well signed.

    >>> with WebhookReceiver() as receiver:
    ...     made = client.post("/api/v1/webhooks", json={"url": receiver.url}).json
    ...     receiver.trust(made["secret"])
    ...     client.post("/api/v1/sections", json={"name": "Here"})
    ...     (delivered,) = receiver.wait_for(1)
    ...     delivered.event["event"]
    'folder.created'

    Until it trusts a secret it takes everything; what no trusted secret has signed is answered
    with 401 and kept in `refused`. `reply` says how it answers, `replies` how it answers the next
    requests first, `replies_at` how it answers at a path of its own. The application under test
    must allow the loopback network: ``settings={"allowed_networks": ["127.0.0.0/8"]}``.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self.reply = Reply()
        self.replies: deque[Reply] = deque()
        self.replies_at: dict[str, Reply] = {}
        self.resets = 0.0
        """The share of requests, beside all that, whose answer is reset in the middle."""
        self.connections = 0
        """Connections that were ever opened."""
        self._clock = clock
        self._secrets: set[str] = set()
        self._taken: list[Delivered] = []
        self._refused: list[Delivered] = []
        self.ids: set[str] = set()
        """The ids of what has arrived."""
        self._arrived = Condition(RLock())
        self._listening = socket.create_server((LOOPBACK, 0), backlog=1024)
        self.port: int = self._listening.getsockname()[1]
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[object]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="receiver", daemon=True)

    @property
    def url(self) -> str:
        """Give the URL to subscribe."""
        return f"http://{LOOPBACK}:{self.port}/"

    @property
    def taken(self) -> list[Delivered]:
        """Give what has arrived, whatever was answered."""
        with self._arrived:
            return list(self._taken)

    @property
    def refused(self) -> list[Delivered]:
        """Give what arrived without a good signature."""
        with self._arrived:
            return list(self._refused)

    def trust(self, secret: str) -> None:
        """Take what is signed with this secret, from now on, and nothing that none has signed."""
        self._secrets.add(secret)

    def wait_for(self, number: int) -> list[Delivered]:
        """Wait until so many requests have arrived, and give all there are."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self._taken) >= number, DEADLINE):
                raise ServiceFailed(f"{len(self._taken)} requests arrived, not {number}")
            return list(self._taken)

    def wait_until(self, happened: Callable[[], bool], patience: float = DEADLINE) -> bool:
        """Look with each request whether something has happened; tell whether it has in time."""
        with self._arrived:
            return self._arrived.wait_for(happened, patience)

    def close(self) -> None:
        """Close the port and every connection."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(_PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE)
        self._loop.close()

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._begin(), self._loop).result(_PATIENCE)
        return self

    async def _begin(self) -> None:
        self._server = await asyncio.start_server(self._serve, sock=self._listening)

    async def _end(self) -> None:
        if self._server is not None:
            self._server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            while await self._exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
            pass  # the other side has had enough, or the test
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Take one request and answer it; tell whether another one may follow."""
        delivered = await self._read(reader)
        reply = self._keep(delivered)
        await asyncio.sleep(reply.delay)
        await _MANNERS[reply.manner](writer, reply)
        return reply.manner == "whole"

    async def _read(self, reader: asyncio.StreamReader) -> Delivered:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip().split("\r\n")
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        return Delivered(first.split(" ")[1], headers, body, self._clock())

    def _keep(self, delivered: Delivered) -> Reply:
        """Keep a request, and say how it is answered."""
        now = self._clock()
        trusted = not self._secrets or any(
            delivered.is_signed_with(each, now=now) for each in self._secrets
        )
        with self._arrived:
            (self._taken if trusted else self._refused).append(delivered)
            if trusted:
                self.ids.add(delivered.headers.get("webhook-id", ""))
            self._arrived.notify_all()
        if not trusted:
            return Reply(status=401)
        if random.random() < self.resets:
            return Reply(manner="reset")
        if delivered.path in self.replies_at:
            return self.replies_at[delivered.path]
        return self.replies.popleft() if self.replies else self.reply


async def _whole(writer: asyncio.StreamWriter, reply: Reply) -> None:
    headers = {"Content-Length": str(len(reply.body)), **reply.headers}
    writer.write(_head(reply.status, headers) + reply.body)
    await writer.drain()


async def _reset(writer: asyncio.StreamWriter, reply: Reply) -> None:
    writer.write(_head(reply.status, {"Content-Length": "1000"}) + b"half of")
    await writer.drain()
    # What was written still arrives: a reset drops what waits in our buffer, and nothing does.
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    writer.transport.abort()


async def _silent(writer: asyncio.StreamWriter, reply: Reply) -> None:
    await asyncio.Event().wait()


async def _drip(writer: asyncio.StreamWriter, reply: Reply) -> None:
    content = _head(reply.status, {"Content-Length": "100000"}) + bytes(100_000)
    for byte in content:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(1)


async def _endless(writer: asyncio.StreamWriter, reply: Reply) -> None:
    writer.write(_head(reply.status, {"Content-Type": "text/plain"}))
    while True:
        writer.write(b"on and on " * 6_000)
        await writer.drain()


async def _bomb(writer: asyncio.StreamWriter, reply: Reply) -> None:
    # Packing a whole gigabyte would hold up the answers to others for seconds.
    packed = gzip.compress(bytes(_MEBIBYTE)) * (_BOMB // _MEBIBYTE)
    headers = {"Content-Encoding": "gzip", "Content-Length": str(len(packed))}
    writer.write(_head(reply.status, headers) + packed)
    await writer.drain()


async def _long_header(writer: asyncio.StreamWriter, reply: Reply) -> None:
    writer.write(_head(reply.status, {"X-Long": "a" * _MEBIBYTE, "Content-Length": "0"}))
    await writer.drain()


_MANNERS: dict[Manner, Callable[[asyncio.StreamWriter, Reply], Awaitable[None]]] = {
    "whole": _whole,
    "reset": _reset,
    "silent": _silent,
    "drip": _drip,
    "endless": _endless,
    "bomb": _bomb,
    "long_header": _long_header,
}


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Answer", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def _is_recent(stamp: str, now: float | None) -> bool:
    if not stamp.isdigit():
        return False
    return abs(int(stamp) - (time.time() if now is None else now)) <= TOLERANCE


def _any_is(expected: str, given: list[str]) -> bool:
    return any(hmac.compare_digest(expected, each) for each in given)
