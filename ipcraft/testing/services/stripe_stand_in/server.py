"""The server: Stripe's API over HTTP, and the ways in which a server can misbehave."""

from __future__ import annotations

import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, Literal, Self
from urllib.parse import urlsplit

import orjson

from ipcraft.testing.services.endings import Ending
from ipcraft.testing.services.processes import LOOPBACK
from ipcraft.testing.services.stripe_stand_in.desk import API_KEY, Desk, Question
from ipcraft.testing.services.stripe_stand_in.ledger import Ledger
from ipcraft.testing.services.stripe_stand_in.post import Post

Manner = Literal["whole", "silent", "drip", "reset", "failing", "page", "busy"]
"""How requests are answered.

``whole``    as they should be
``silent``   nothing is ever said
``drip``     a byte a second
``reset``    the connection ends without an answer
``failing``  a 500, also to who comes again with the same key of idempotency
``page``     a page of HTML, as a proxy in between would
``busy``     a 429
"""

WEBHOOK_SECRET = "whsec_stand_in"

_PAGE = b"<html>Welcome to this network</html>"
_BUSY = b'{"error": {"type": "invalid_request_error", "code": "rate_limit", "message": "Slow."}}'
_LOOK_EVERY = 0.05


class StripeStandIn(Ending):
    """Serve Stripe's API on a free loopback port.

    >>> with StripeStandIn() as stripe:
    ...     app = make_application(url, sections={"stripe": stripe.settings})
    ...     made = organization.client.post("/api/v1/billing/checkout").json
    ...     stripe.pay_at(made["url"])
    ...     stripe.post.url = "http://127.0.0.1:8000/api/v1/billing/webhook"
    ...     stripe.post.deliver()

    It sells ``price_pro`` and ``price_teams``. `ledger` holds what there is, `post` takes the
    events to their endpoint, `desk` knows what was asked, `manner` says how it is answered.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self.ledger = Ledger(clock=clock)
        self.ledger.add_price("price_pro", 2_900)
        self.ledger.add_price("price_teams", 19_900)
        self.desk = Desk(self.ledger, clock=clock)
        self.post = Post(self.ledger, secret=WEBHOOK_SECRET, clock=clock)
        self._manner: Manner = "whole"
        self._closing = Event()
        self._server = ThreadingHTTPServer((LOOPBACK, 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = Thread(
            target=self._server.serve_forever, args=(_LOOK_EVERY,), name="stripe", daemon=True
        )

    @property
    def url(self) -> str:
        """Give the base of the API."""
        return f"http://{LOOPBACK}:{self._server.server_port}"

    @property
    def settings(self) -> dict[str, object]:
        """Give the section ``[plugins.stripe]`` that leads here."""
        return {
            "api_key": API_KEY,
            "api_base": self.url,
            "webhook_secret": WEBHOOK_SECRET,
            "price_pro": ["price_pro"],
            "price_teams": ["price_teams"],
        }

    @property
    def environ(self) -> dict[str, str]:
        """Give the same as variables of a process."""
        return {
            "IPCRAFT_STRIPE_API_KEY": API_KEY,
            "IPCRAFT_STRIPE_API_BASE": self.url,
            "IPCRAFT_STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "IPCRAFT_STRIPE_PRICE_PRO": "price_pro",
            "IPCRAFT_STRIPE_PRICE_TEAMS": "price_teams",
        }

    @property
    def manner(self) -> Manner:
        """Say how requests are answered."""
        return self._manner

    @manner.setter
    def manner(self, manner: Manner) -> None:
        self._manner = manner
        self.desk.failing = manner == "failing"

    def pay_at(self, url: str) -> str:
        """Pay at the page that a checkout led to; give the id of the subscription."""
        with self.desk.lock:
            return self.ledger.pay(url.rpartition("/")[2])

    def close(self) -> None:
        """Close the port; who waits for an answer gets none."""
        self._closing.set()
        self.desk.open.set()
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the stand-in is closed, at most so long; tell whether it is."""
        return self._closing.wait(seconds)


def _handler(stand_in: StripeStandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def do_DELETE(self) -> None:
            self._serve()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            """Say nothing."""

        def _serve(self) -> None:
            question = self._question()
            match stand_in.manner:
                case "silent":
                    self.close_connection = stand_in.wait()
                case "reset":
                    self.close_connection = True
                case "page":
                    self._write(_content(200, _PAGE, kind="text/html"))
                case "busy":
                    self._write(_content(429, _BUSY))
                case manner:
                    answer = stand_in.desk.answer(question)
                    content = _content(answer.status, orjson.dumps(answer.body), old=answer.old)
                    if stand_in.desk.forgetful:
                        self.close_connection = True
                    else:
                        self._write(content, drip=manner == "drip")

        def _question(self) -> Question:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            return Question(self.command, parts.path, parts.query, headers, body)

        def _write(self, content: bytes, *, drip: bool = False) -> None:
            pieces = [bytes([byte]) for byte in content] if drip else [content]
            try:
                for piece in pieces:
                    self.wfile.write(piece)
                    self.wfile.flush()
                    if drip and stand_in.wait(1):
                        break
            except OSError:
                drip = True  # the other side has had enough
            self.close_connection = self.close_connection or drip

    return Handler


def _content(
    status: int, body: bytes, *, kind: str = "application/json", old: bool = False
) -> bytes:
    lines = [
        f"HTTP/1.1 {status} Answer",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        *(["Idempotent-Replayed: true"] if old else []),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body
