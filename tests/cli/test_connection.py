"""A connection with a client does what it is told when that begins to matter, and no later."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from ipcraft.cli.connection import Connection

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
BODY = b"{}"
PATIENCE = 10.0


@dataclass
class Ends:
    """Be the two ends: a client, and the connection that a server has with it."""

    client: socket.socket
    server: Connection

    def come(self) -> bytes:
        """Give what has come at the client by now."""
        try:
            return self.client.recv(1 << 16, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return b""


@pytest.fixture
def ends() -> Iterator[Ends]:
    """Give the ends of a connection that waits."""
    client, accepted = socket.socketpair()
    accepted.setblocking(False)
    with closing(client), closing(Connection(accepted)) as server:
        server.setblocking(True)
        yield Ends(client, server)


def test_the_head_goes_out_with_what_follows(ends: Ends) -> None:
    """The client gets both at once."""
    ends.server.sendall(HEAD)
    assert ends.come() == b""
    ends.server.sendall(BODY)
    assert ends.come() == HEAD + BODY
    ends.server.sendall(BODY)
    assert ends.come() == BODY


def test_a_head_that_nothing_follows_goes_out_at_the_end(ends: Ends) -> None:
    """Once."""
    ends.server.sendall(HEAD)
    ends.server.flush()
    assert ends.come() == HEAD
    assert effective(ends.server) is None, "it waits for the client"
    ends.server.flush()
    assert ends.come() == b""


def test_what_begins_like_a_head_comes_in_its_order(ends: Ends) -> None:
    """A body may be anything."""
    for part in (HEAD, HEAD, HEAD, BODY):
        ends.server.sendall(part)
    assert ends.come() == 3 * HEAD + BODY


def test_what_is_sent_by_another_way_goes_behind_the_head(ends: Ends, tmp_path: Path) -> None:
    """A file, some bytes, the end."""
    path = tmp_path / "body"
    path.write_bytes(BODY)
    with path.open("rb") as file:
        ends.server.sendfile(file)
        assert effective(ends.server) is None, "it waits for the client"
        ends.server.sendall(HEAD)
        ends.server.sendfile(file)
    assert ends.come() == BODY + HEAD + BODY
    ends.server.sendall(HEAD)
    assert ends.server.send(BODY) == len(BODY)
    assert ends.come() == HEAD + BODY
    ends.server.sendall(HEAD)
    ends.server.shutdown(socket.SHUT_WR)
    assert [ends.come(), ends.come()] == [HEAD, b""]


def test_what_must_not_wait_is_sent_at_once(ends: Ends) -> None:
    """A refusal in the server's name is all that there is."""
    ends.server.setblocking(False)
    ends.server.sendall(HEAD)
    assert ends.come() == HEAD


def test_a_timeout_takes_effect_when_it_is_read_under(ends: Ends) -> None:
    """Those that nothing is read under are not set."""
    for timeout in (5.0, 0.0, PATIENCE):
        ends.server.settimeout(timeout)
        assert ends.server.gettimeout() == timeout
        assert effective(ends.server) == 0.0, "as it was accepted"
    ends.client.sendall(b"a")
    assert ends.server.recv(1) == b"a"
    assert effective(ends.server) == PATIENCE
    ends.server.setblocking(False)
    with pytest.raises(BlockingIOError):
        ends.server.recv(1)


def test_it_begins_as_it_was_accepted() -> None:
    """A socket that does not wait is one that does not wait."""
    client, accepted = socket.socketpair()
    accepted.setblocking(False)
    with closing(client), closing(Connection(accepted)) as server:
        assert server.gettimeout() == 0.0
        with pytest.raises(BlockingIOError):
            server.recv(1)
    assert accepted.fileno() == -1, "it has one owner"


def effective(connection: Connection) -> float | None:
    """Give the timeout that the operating system's socket has."""
    return socket.socket.gettimeout(connection)
