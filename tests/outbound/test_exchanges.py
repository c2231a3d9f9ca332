"""A request arrives as it was meant, and its answer as far as it is wanted."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from ipcraft import __version__
from ipcraft.outbound.failures import Refused, Unreachable
from ipcraft.testing.services import DNSServer

from .conftest import Reach, Receive
from .receivers import OK, Visit, once, serve


def test_a_post_arrives_as_it_was_meant(receive: Receive, reach: Reach) -> None:
    """Path and query, our headers and the caller's, and the body to the byte."""
    requests: list[bytes] = []
    receiver = receive(serve(requests))
    body = bytes(range(256))
    answer = reach().post(
        receiver.url("/hook?a=1&b=%20#part"),
        headers={"Content-Type": "x/y", "X-One": "1"},
        body=body,
    )
    assert (answer.status, answer.body) == (200, b"ok")
    (request,) = requests
    head, _, sent = request.partition(b"\r\n\r\n")
    assert sent == body
    line, *headers = head.decode().split("\r\n")
    assert line == "POST /hook?a=1&b=%20 HTTP/1.1"
    assert headers == [
        f"Host: 127.0.0.1:{receiver.port}",
        "Accept-Encoding: identity",
        f"User-Agent: ipcraft/{__version__}",
        "Content-Type: x/y",
        "X-One: 1",
        "Content-Length: 256",
    ]


def test_the_host_is_the_name_not_the_address(
    receive: Receive, reach: Reach, name_server: DNSServer
) -> None:
    """In ASCII and lower case, without the dot at its end."""
    requests: list[bytes] = []
    receiver = receive(serve(requests))
    name_server.tell("xn--bcher-kva.example", "127.0.0.1")
    reach().post(receiver.url(host="Bücher.example."), headers={}, body=b"")
    assert f"Host: xn--bcher-kva.example:{receiver.port}\r\n".encode() in requests[0]


def test_an_answer_has_status_headers_and_body(receive: Receive, reach: Reach) -> None:
    """Names are in lower case; the values of a header that comes twice are joined."""
    text = (
        b"HTTP/1.1 429 Slow Down\r\nRetry-After: 7\r\nVia: a\r\nVIA: b\r\nX-Name: caf\xe9\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n"
    )
    answer = reach().post(receive(once(text)).url(), headers={}, body=b"")
    assert (answer.status, answer.body) == (429, b"abcde")
    assert answer.headers == {
        "retry-after": "7",
        "via": "a, b",
        "x-name": "caf\xe9",
        "transfer-encoding": "chunked",
    }


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirection_is_not_followed(receive: Receive, reach: Reach, status: int) -> None:
    """It is the answer."""
    elsewhere = receive(serve([]))
    text = (
        f"HTTP/1.1 {status} Elsewhere\r\nLocation: {elsewhere.url()}\r\nContent-Length: 0\r\n\r\n"
    )
    answer = reach().post(receive(once(text.encode())).url(), headers={}, body=b"")
    assert (answer.status, answer.headers["location"]) == (status, elsewhere.url())
    assert elsewhere.connections == 0


def test_nothing_of_the_environment_is_heeded(
    receive: Receive, reach: Reach, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither a proxy nor a netrc file."""
    proxy = receive(serve([]))
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url())
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\ndefault login me password x\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    requests: list[bytes] = []
    assert reach().post(receive(serve(requests)).url(), headers={}, body=b"").status == 200
    assert proxy.connections == 0
    assert b"authorization" not in requests[0].lower()


@pytest.mark.parametrize(
    ("keep", "kept"), [(0, b""), (4, b"0123"), (10, b"0123456789"), (11, b"0123456789")]
)
def test_so_much_of_a_body_is_kept(receive: Receive, reach: Reach, keep: int, kept: bytes) -> None:
    """And no byte more."""
    text = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789"
    answer = reach().post(receive(once(text)).url(), headers={}, body=b"", keep=keep)
    assert answer.body == kept


def test_a_body_may_end_with_the_connection(receive: Receive, reach: Reach) -> None:
    """As that of a server of HTTP/1.0 does."""
    answer = reach().post(receive(once(b"HTTP/1.0 200 OK\r\n\r\nall")).url(), headers={}, body=b"")
    assert (answer.status, answer.body) == (200, b"all")


def test_a_compressed_body_is_kept_as_it_is(receive: Receive, reach: Reach) -> None:
    """Nobody asked for one, and nothing is unpacked."""
    packed = gzip.compress(b"0" * 10**6)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    answer = reach().post(receive(once(head + packed)).url(), headers={}, body=b"")
    assert answer.body == packed[:4096]


def test_other_answers_may_come_first(receive: Receive, reach: Reach) -> None:
    """100 and 103 are no answer yet (RFC 9110, section 15.2)."""
    early = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    answer = reach().post(receive(once(early + OK)).url(), headers={}, body=b"")
    assert (answer.status, answer.body) == (200, b"ok")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods(receive: Receive, reach: Reach, method: str) -> None:
    """An answer to HEAD has no body, whatever it says."""
    requests: list[bytes] = []
    receiver = receive(
        once(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + b"ok" * (method != "HEAD"))
    )
    answer = reach().exchange(method, receiver.url("/thing"))
    assert answer.body == (b"" if method == "HEAD" else b"ok")
    assert requests == []


@pytest.mark.parametrize("status", [204, 304])
def test_answers_without_a_body(receive: Receive, reach: Reach, status: int) -> None:
    """Nothing is waited for."""
    requests: list[bytes] = []
    receiver = receive(serve(requests, f"HTTP/1.1 {status} X\r\n\r\n".encode()))
    assert reach().post(receiver.url(), headers={}, body=b"").body == b""


def test_a_large_body_is_sent(receive: Receive, reach: Reach) -> None:
    """More than any buffer between us holds."""
    requests: list[bytes] = []
    body = b"0123456789abcdef" * 2**19
    assert reach().post(receive(serve(requests)).url(), headers={}, body=body).status == 200
    assert requests[0].endswith(b"\r\n\r\n" + body)


@pytest.mark.parametrize(
    "headers",
    [
        {"X": "a\r\nY: b"},
        {"X": "a\nb"},
        {"X": "a\x00b"},
        {"X\r\nY": "a"},
        {"X Y": "a"},
        {"": "a"},
        {"X": "ü"},
        {"Host": "example.com"},
        {"content-length": "5"},
        {"Transfer-Encoding": "chunked"},
        {"Connection": "upgrade"},
        {"Expect": "100-continue"},
    ],
)
def test_headers_cannot_be_bent(receive: Receive, reach: Reach, headers: dict[str, str]) -> None:
    """Neither into another header, nor into another request: nobody is dialled."""
    receiver = receive(serve([]))
    with pytest.raises(Refused):
        reach().post(receiver.url(), headers=headers, body=b"")
    assert receiver.connections == 0


@pytest.mark.parametrize("method", ["", "GET /", "G\r\nT", "CONNECT"])
def test_methods_cannot_be_bent(receive: Receive, reach: Reach, method: str) -> None:
    """A method is one word, and none that makes a tunnel."""
    receiver = receive(serve([]))
    with pytest.raises(Refused):
        reach().exchange(method, receiver.url())
    assert receiver.connections == 0


def test_the_caller_says_whether_http_will_do(receive: Receive, reach: Reach) -> None:
    """With `https_only` it will not."""
    receiver = receive(serve([]))
    outbound = reach()
    outbound.check(receiver.url())
    with pytest.raises(Refused, match="https://"):
        outbound.check(receiver.url(), https_only=True)
    with pytest.raises(Refused, match="https://"):
        outbound.post(receiver.url(), headers={}, body=b"", https_only=True)
    assert receiver.connections == 0


def test_an_address_that_is_not_allowed_is_not_dialled(receive: Receive, reach: Reach) -> None:
    """Loopback is refused unless the operator allows it."""
    receiver = receive(serve([]))
    outbound = reach(allowed_networks=[])
    with pytest.raises(Refused, match="loopback"):
        outbound.post(receiver.url(), headers={}, body=b"")
    assert receiver.connections == 0


def test_mixed_answers_are_not_dialled(
    receive: Receive, reach: Reach, name_server: DNSServer
) -> None:
    """Not even at the address that is good."""
    receiver = receive(serve([]))
    name_server.tell("mixed.example", "127.0.0.1", "10.0.0.1")
    with pytest.raises(Refused):
        reach().post(receiver.url(host="mixed.example"), headers={}, body=b"")
    assert receiver.connections == 0


def test_the_next_address_is_tried(receive: Receive, reach: Reach, name_server: DNSServer) -> None:
    """When nothing listens at the first."""
    receiver = receive(serve([]), address="127.0.0.3")
    name_server.tell("several.example", "127.0.0.1", "127.0.0.2", "127.0.0.3")
    assert reach().post(receiver.url(host="several.example"), headers={}, body=b"").status == 200


def test_families_take_turns(receive: Receive, reach: Reach, name_server: DNSServer) -> None:
    """Many addresses of one do not hide those of the other."""
    receiver = receive(serve([]))
    name_server.tell("both.example", *[f"2001:db8::{n}" for n in range(9)], "127.0.0.1")
    outbound = reach(allowed_networks=["127.0.0.0/8", "2001:db8::/32"])
    assert outbound.post(receiver.url(host="both.example"), headers={}, body=b"").status == 200


def test_only_the_operators_ports(receive: Receive, reach: Reach) -> None:
    """Any other is refused, when the URL is checked, too."""
    receiver = receive(serve([]))
    outbound = reach(outbound_ports=[443, receiver.port])
    assert outbound.post(receiver.url(), headers={}, body=b"").status == 200
    with pytest.raises(Refused, match="port 80 "):
        outbound.check("http://8.8.8.8/")
    with pytest.raises(Refused, match="port 8443 "):
        outbound.post("https://127.0.0.1:8443/", headers={}, body=b"")
    with pytest.raises(Refused, match="port 22 "):
        outbound.connect("127.0.0.1", 22)


def test_nothing_listens(receive: Receive, reach: Reach) -> None:
    """Whoever asks learns that the host is there."""
    receiver = receive(serve([]))
    receiver.close()
    with pytest.raises(Unreachable, match="nothing listens") as caught:
        reach().post(receiver.url(), headers={}, body=b"")
    assert isinstance(caught.value.__cause__, ConnectionRefusedError)


def test_a_plain_connection(receive: Receive, reach: Reach, name_server: DNSServer) -> None:
    """For other protocols: guarded alike, with a timeout."""

    def echo(visit: Visit) -> None:
        visit.say(visit.socket.recv(100))

    receiver = receive(echo)
    name_server.tell("echo.example", "127.0.0.1")
    with reach().connect("echo.example", receiver.port, deadline=3.0) as opened:
        assert 0 < (opened.gettimeout() or 0) <= 3.0
        opened.sendall(b"hello")
        assert opened.recv(100) == b"hello"
    with pytest.raises(Refused):
        reach().connect("10.0.0.1", receiver.port)


def test_addresses_of_a_host(reach: Reach, name_server: DNSServer) -> None:
    """Of a name or an address, in any spelling."""
    name_server.tell("a.example", "8.8.8.8", "2606:4700::1")
    outbound = reach()
    assert {str(each) for each in outbound.addresses("a.example")} == {"8.8.8.8", "2606:4700::1"}
    assert [str(each) for each in outbound.addresses("0x8.8.8.8")] == ["8.8.8.8"]
    assert [str(each) for each in outbound.addresses("2606:4700::1")] == ["2606:4700::1"]
