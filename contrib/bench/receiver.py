"""A receiver of posts that does as little as it can.

``python -m bench.receiver`` prints its port and serves.
"""

from __future__ import annotations

import asyncio
from typing import cast

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
_LENGTH = b"\r\ncontent-length:"


class Receiver(asyncio.Protocol):
    """Answer each post alike, on a connection that is kept."""

    def __init__(self) -> None:
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to answer."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer what is complete."""
        self._unread += data
        while (size := _size(self._unread)) <= len(self._unread):
            self._unread = self._unread[size:]
            self._transport.write(_ANSWER)


def _size(data: bytes) -> int:
    """Give the size of the first request, or more than there is."""
    head, end, _ = data.partition(b"\r\n\r\n")
    if not end:
        return len(data) + 1
    _, _, value = head.lower().partition(_LENGTH)
    return len(head) + len(end) + int(value.split(b"\r\n")[0] or 0)


async def serve() -> None:
    """Listen on a free port until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Receiver, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
