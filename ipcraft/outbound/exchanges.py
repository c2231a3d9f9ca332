"""Exchanges: a request, and as much of its answer as is wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import h11

from ipcraft import __version__
from ipcraft.outbound.connections import Connection
from ipcraft.outbound.deadlines import Deadline
from ipcraft.outbound.failures import Refused, Unreachable
from ipcraft.outbound.targets import Target

_LARGEST_HEADS = 64 * 1024
"""Bytes of an answer before its body, what comes before the answer proper included."""
_SHOWN = 200
_OURS = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that say how the connection is used."""
_WITH_BODY = frozenset({"PATCH", "POST", "PUT"})
_DEFAULTS = (("Accept-Encoding", "identity"), ("User-Agent", f"ipcraft/{__version__}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Hold what a server answered: the header names in lower case, the beginning of the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """Hold a request, ready to be sent."""

    head: h11.Request
    body: bytes

    @classmethod
    def to(cls, target: Target, *, method: str, headers: Mapping[str, str], body: bytes) -> Request:
        """Make a request. Raises `Refused` for a method or a header that HTTP does not have."""
        given = {name.lower() for name in headers}
        if ours := sorted(_OURS & given):
            raise Refused(f"the header {ours[0]} cannot be chosen")
        if method == "CONNECT":
            raise Refused("the method CONNECT would make a tunnel")
        defaults = [each for each in _DEFAULTS if each[0].lower() not in given]
        lines = [("Host", target.authority), *defaults, *headers.items(), *_length(method, body)]
        try:
            head = h11.Request(method=method, target=target.path, headers=lines)
        except (h11.LocalProtocolError, ValueError) as error:
            raise Refused(f"the request cannot be sent: {_shortened(error)}") from error
        return cls(head, body)


class Stale(Exception):
    """Say that a connection ended before the first byte of an answer."""


def converse(
    connection: Connection, request: Request, *, deadline: Deadline, keep: int
) -> tuple[Answer, bool]:
    """Send a request and read its answer; tell whether the connection is good for another one.

    Of a body that is longer than `keep` bytes the rest is not read. Raises `Unreachable` when no
    whole answer comes, and `Stale`.
    """
    conversation = _Conversation(connection, deadline)
    try:
        conversation.say(request)
        response = conversation.response()
        body, complete = conversation.body(keep)
    except h11.RemoteProtocolError as error:
        raise Unreachable(f"the answer is not HTTP/1.1: {_shortened(error)}") from error
    except TimeoutError as error:
        raise deadline.passed() from error
    except OSError as error:
        if not conversation.heard:
            raise Stale from error
        raise Unreachable(f"the connection fails: {error.strerror or error}") from error
    answer = Answer(status=response.status_code, headers=_headers(response), body=body)
    return answer, complete and _renewed(connection)


class _Conversation:
    """Carry one request and its answer."""

    def __init__(self, connection: Connection, deadline: Deadline) -> None:
        self._connection = connection
        self._deadline = deadline
        self.heard = 0
        """Bytes that have come."""

    def say(self, request: Request) -> None:
        """Send the request."""
        events = (request.head, h11.Data(data=request.body), h11.EndOfMessage())
        data = [self._connection.parser.send(event) or b"" for event in events]
        self._connection.send(b"".join(data), self._deadline)

    def response(self) -> h11.Response:
        """Give the head of the answer proper; others, such as 100, may come before it."""
        while not isinstance(event := self._next(), h11.Response):
            if self.heard > _LARGEST_HEADS:
                raise Unreachable(f"no answer begins within {_LARGEST_HEADS} bytes")
        if not event.http_version.startswith(b"1."):
            raise Unreachable("the answer is not HTTP/1.1: it is of another version")
        return event

    def body(self, keep: int) -> tuple[bytes, bool]:
        """Give at most so many bytes of the body, and whether these are all."""
        kept = bytearray()
        while isinstance(event := self._next(), h11.Data):
            kept += event.data
            if len(kept) > keep:
                return bytes(kept[:keep]), False
        return bytes(kept), True

    def _next(self) -> object:
        parser = self._connection.parser
        while (event := parser.next_event()) is h11.NEED_DATA:
            data = self._connection.receive(self._deadline)
            if not data and not self.heard:
                raise ConnectionAbortedError("it ends before an answer")
            self.heard += len(data)
            parser.receive_data(data)
        return event


def _length(method: str, body: bytes) -> Sequence[tuple[str, str]]:
    return [("Content-Length", str(len(body)))] if body or method in _WITH_BODY else []


def _headers(response: h11.Response) -> Mapping[str, str]:
    """Give the headers; the values of one that comes several times are joined (RFC 9110, 5.3)."""
    found: dict[str, str] = {}
    for raw_name, raw_value in response.headers:
        name, value = raw_name.decode("ascii"), raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _renewed(connection: Connection) -> bool:
    """Make the connection ready for another request, if it can be had."""
    parser = connection.parser
    if parser.our_state is not h11.DONE or parser.their_state is not h11.DONE:
        return False
    surplus, _ = parser.trailing_data
    if surplus:
        return False
    parser.start_next_cycle()
    return True


def _shortened(error: Exception) -> str:
    return str(error)[:_SHOWN]
