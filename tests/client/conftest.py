"""A client of the served process."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import pytest

from ipcraft.client import Client

if TYPE_CHECKING:
    from ipcraft.testing.fixtures import Org, Served


@pytest.fixture
def org(served: Served) -> Org:
    """Give an organization of the served process."""
    return served.organization()


@pytest.fixture
def ipam(served: Served, org: Org) -> Iterator[Client]:
    """Give a client with its owner's key."""
    with Client(served.url, key=org.key) as client:
        yield client


class Seen(NamedTuple):
    """Be a request that came."""

    path: str
    key: str | None
    kind: str | None
    body: bytes


class Script(BaseHTTPRequestHandler):
    """Answer what the test says, and write down what came."""

    answers: ClassVar[list[bytes]] = []
    seen: ClassVar[list[Seen]] = []

    def do_GET(self) -> None:
        """Send the next answer."""
        self.wfile.write(self.answers.pop(0))
        self.close_connection = True

    def do_POST(self) -> None:
        """Write down the request and send the next answer."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        key, kind = self.headers["Idempotency-Key"], self.headers["Content-Type"]
        self.seen.append(Seen(self.path, key, kind, body))
        self.do_GET()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - as declared
        """Write nothing."""


@pytest.fixture
def scripted() -> Iterator[Client]:
    """Give a client of a server that answers what `Script.answers` has."""
    Script.answers, Script.seen = [], []
    server = HTTPServer(("127.0.0.1", 0), Script)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        with Client(f"http://127.0.0.1:{server.server_port}", key="k", patience=30) as client:
            yield client
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
