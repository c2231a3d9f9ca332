"""HTTP/1.1 messages as bytes: made before the clock runs, read with as little work as possible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Say where a server listens."""

    port: int
    host: str = "127.0.0.1"


def request(
    method: str,
    path: str,
    *,
    key: str | None = None,
    body: object = None,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> bytes:
    """Make a complete keep-alive request; `body` is sent as JSON unless it is None."""
    lines = [f"{method} {path} HTTP/1.1", "Host: bench"]
    if key is not None:
        lines.append(f"Authorization: Bearer {key}")
    lines += [f"{name}: {value}" for name, value in headers.items()]
    content = b""
    if body is not None:
        content = orjson.dumps(body)
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + content


def complete(received: bytearray) -> bool:
    """Tell whether a whole response has been received.

    The end of a chunked body is looked for only at the end of what came: JSON holds no bare
    CR LF, so nothing inside the body looks like it.
    """
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return False
    head = bytes(received[:end]).lower()
    at = head.find(b"\r\ncontent-length:")
    if at >= 0:
        length = int(head[at + 17 :].split(b"\r\n", 1)[0])
        return len(received) >= end + 4 + length
    if b"\r\ntransfer-encoding: chunked" in head:
        return received.endswith(b"\r\n0\r\n\r\n")
    return status(received) in (204, 304)


def status(response: bytes | bytearray) -> int:
    """Read the status code of a response."""
    return int(response[9:12])


def header(response: bytes | bytearray, name: str) -> str:
    """Read a header of a response, empty where it has none."""
    head = bytes(response).partition(b"\r\n\r\n")[0].decode("latin-1")
    for line in head.split("\r\n")[1:]:
        found, _, value = line.partition(":")
        if found.lower() == name.lower():
            return value.strip()
    return ""


def content(response: bytes | bytearray) -> bytes:
    """Read the body of a complete response, joining its chunks."""
    head, _, rest = bytes(response).partition(b"\r\n\r\n")
    if b"\r\ntransfer-encoding: chunked" not in head.lower():
        return rest
    parts: list[bytes] = []
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        parts.append(rest[:length])
        rest = rest[length + 2 :]
    return b"".join(parts)


def document(response: bytes | bytearray) -> Any:
    """Read the JSON of a complete response."""
    return orjson.loads(content(response))
