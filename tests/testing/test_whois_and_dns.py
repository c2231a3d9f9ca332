"""The WHOIS server and the name server say what they were told, and leave nothing behind."""

from __future__ import annotations

import socket
import threading

import dns.message
import dns.query
import dns.rcode
import pytest

from ipcraft.testing.services import DNSServer, WhoisServer

HOST = "127.0.0.1"


def ask(server: WhoisServer, line: bytes, *, most: int = 10_000) -> bytes:
    """Send a line and read until the end, or so many bytes."""
    with socket.create_connection((HOST, server.port), timeout=5) as connection:
        connection.sendall(line)
        found = b""
        while len(found) < most and (piece := connection.recv(most)):
            found += piece
        return found


def question(server: DNSServer, name: str, kind: str) -> dns.message.Message:
    """Ask a name server by UDP."""
    query = dns.message.make_query(name, kind)
    return dns.query.udp(query, HOST, port=server.port, timeout=5)


def test_a_query_gets_its_answer() -> None:
    """Each line has its own; lines are kept as they came."""
    with WhoisServer() as server:
        server.tell("example.com", "Domain Name: EXAMPLE.COM\r\n")
        assert ask(server, b"example.com\r\n") == b"Domain Name: EXAMPLE.COM\r\n"
        assert ask(server, b"other.example\r\n") == server.nothing.encode()
        assert server.queries == ["example.com", "other.example"]


def test_an_endless_answer_ends_with_the_client() -> None:
    """A megabyte comes, and the server can be closed after it."""
    with WhoisServer() as server:
        server.tell("much", "more ", manner="endless")
        assert len(ask(server, b"much\r\n", most=2**20)) >= 2**20


def test_a_dripping_answer_comes_by_bytes() -> None:
    """It never ends, and its first bytes are the text's."""
    with WhoisServer() as server:
        server.tell("slow", "abc", manner="drip")
        assert ask(server, b"slow\r\n", most=4).startswith(b"abca")


def test_a_silent_server_says_nothing() -> None:
    """The client's patience ends first."""
    with WhoisServer() as server:
        server.tell("who", "", manner="silent")
        with socket.create_connection((HOST, server.port), timeout=0.2) as connection:
            connection.sendall(b"who\r\n")
            with pytest.raises(TimeoutError):
                connection.recv(1)


def test_a_closed_server_leaves_no_thread() -> None:
    """Also when somebody was being answered."""
    before = threading.active_count()
    with WhoisServer() as server:
        server.tell("slow", "abc", manner="drip")
        connection = socket.create_connection((HOST, server.port), timeout=5)
        connection.sendall(b"slow\r\n")
        assert connection.recv(1) == b"a"
    connection.close()
    assert threading.active_count() == before


def test_a_name_has_the_records_it_was_given() -> None:
    """Of any type, with their time to live; another type of the name is empty, not unknown."""
    with DNSServer() as server:
        server.tell("good.example", "8.8.8.8")
        server.tell_records("good.example", "MX", "10 mail.good.example.", ttl=60)
        (records,) = question(server, "good.example", "MX").answer
        assert (records.ttl, [each.to_text() for each in records]) == (
            60,
            ["10 mail.good.example."],
        )
        empty = question(server, "good.example", "TXT")
        assert (empty.rcode(), empty.answer) == (dns.rcode.NOERROR, [])
        assert question(server, "bad.example", "MX").rcode() == dns.rcode.NXDOMAIN


def test_how_long_nothing_is_believed_can_be_said() -> None:
    """A negative answer carries a start of authority with the seconds."""
    with DNSServer() as server:
        server.negative_ttl = 30
        (authority,) = question(server, "bad.example", "A").authority
        assert authority.to_text().split()[-1] == "30"
