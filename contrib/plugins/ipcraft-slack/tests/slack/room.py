"""A chat on a loopback port."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATIENCE = 30.0


class Room(ThreadingHTTPServer):
    """Be a chat: keep what is said, and refuse it as long as a test says so."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Door)
        self.changed = threading.Condition()
        self.said: list[str] = []
        self.refusals: list[int] = []
        """Statuses to refuse the next messages with."""

    @property
    def url(self) -> str:
        """Give the incoming webhook."""
        return f"http://127.0.0.1:{self.server_port}/services/T000/B000/XXXX"

    def lines(self, number: int) -> list[str]:
        """Wait for so many lines, and give them."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self._lines()) >= number, PATIENCE), self.said
            return self._lines()

    def _lines(self) -> list[str]:
        return [line for text in self.said for line in text.splitlines()]


class Door(BaseHTTPRequestHandler):
    """Take messages as Slack does."""

    server: Room

    def do_POST(self) -> None:
        """Take a message, or refuse it."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.headers["Content-Type"] == "application/json"
        with self.server.changed:
            status = self.server.refusals.pop() if self.server.refusals else 200
            if status == 200:
                self.server.said.append(json.loads(body)["text"])
            self.server.changed.notify_all()
        answer = b"ok" if status == 200 else b"rate_limited"
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""
