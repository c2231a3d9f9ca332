"""Calls outside the clock: making data sets, looking at results."""

from __future__ import annotations

import http.client
from typing import Any

import click
import orjson

from bench.messages import Endpoint
from bench.servers import Account

_PATIENCE = 300.0
_RETRIES = 4


def call(account: Account, path: str, *, body: object = None, method: str | None = None) -> Any:
    """Call the API and give the answer's JSON; any status but 2xx ends the benchmark.

    A 503 is tried again: it says that trying again may help.
    """
    verb = method or ("GET" if body is None else "POST")
    content = b"" if body is None else orjson.dumps(body)
    code, answer = exchange(account.endpoint, verb, path, key=account.key, body=content)
    for _ in range(_RETRIES):
        if code != http.HTTPStatus.SERVICE_UNAVAILABLE:
            break
        code, answer = exchange(account.endpoint, verb, path, key=account.key, body=content)
    if not 200 <= code < 300:
        said = answer[:1000].decode(errors="replace")
        raise click.ClickException(f"{verb} {path} answered {code}: {said}")
    return orjson.loads(answer) if answer else None


def exchange(
    endpoint: Endpoint, method: str, path: str, *, key: str, body: bytes = b""
) -> tuple[int, bytes]:
    """Send one request over a connection of its own; give status and body."""
    connection = http.client.HTTPConnection(endpoint.host, endpoint.port, timeout=_PATIENCE)
    headers = {"Authorization": f"Bearer {key}"}
    if body:
        headers["Content-Type"] = "application/json"
    try:
        connection.request(method, path, body=body or None, headers=headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def drain(account: Account, path: str) -> int:
    """Read a streamed answer to its end without keeping it; give its size in bytes."""
    connection = http.client.HTTPConnection(
        account.endpoint.host, account.endpoint.port, timeout=_PATIENCE
    )
    buffer = bytearray(1 << 18)
    size = 0
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {account.key}"})
        response = connection.getresponse()
        if response.status != http.HTTPStatus.OK:
            raise click.ClickException(f"GET {path} answered {response.status}")
        while got := response.readinto(buffer):
            size += got
        return size
    finally:
        connection.close()
