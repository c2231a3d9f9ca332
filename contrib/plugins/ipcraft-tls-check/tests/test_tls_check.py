"""The tool `tls`, against servers with good certificates, bad ones, and none."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
import trustme
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from ipcraft_tls_check.certificates import read_certificate

from ipcraft.cli.program import program
from ipcraft.plugin import Application, BadGateway, Unreachable
from ipcraft.testing import Client
from ipcraft.testing.services import DNSServer, free_port
from ipcraft_nettools.services import enabled_tools, runner

HOST = "127.0.0.1"
PATH = "/api/v1/tools/tls"

Serve = Callable[..., int]
"""Serve TLS with a certificate, or anything else; give the port."""


def check(client: Client, host: str, port: int) -> Any:
    """Check a server, and give the answer's body."""
    answer = client.get(PATH, params={"host": host, "port": port})
    assert answer.status_code == 200, answer.text
    return answer.json


def der(certificate: trustme.LeafCert) -> bytes:
    """Give a certificate as it goes over the wire."""
    pem = certificate.cert_chain_pems[0].bytes()
    return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


def test_a_good_certificate(client: Client, serve: Serve, authority: trustme.CA) -> None:
    """It is trusted, and told with its names, its end and its fingerprint."""
    certificate = authority.issue_cert("secure.example", "www.secure.example", HOST)
    answer = check(client, "Secure.example", serve(certificate))
    assert (answer["host"], answer["trusted"], answer["problem"]) == ("secure.example", True, None)
    assert answer["protocol"] == "TLSv1.3"
    assert answer["cipher"].startswith("TLS_")
    told = answer["certificate"]
    assert told["names"] == ["secure.example", "www.secure.example", HOST]
    assert told["fingerprint"] == sha256(der(certificate)).hexdigest()
    assert told["days_left"] > 300
    assert told["not_before"] < told["not_after"]
    assert "trustme" in told["issuer"]


def test_an_address_is_a_name_of_a_certificate(
    client: Client, serve: Serve, authority: trustme.CA
) -> None:
    """It is looked for among the addresses."""
    assert check(client, HOST, serve(authority.issue_cert(HOST)))["trusted"] is True


@pytest.mark.parametrize(
    ("name", "days", "problem"),
    [("other.example", 10, "Hostname mismatch"), ("secure.example", -3, "expired")],
)
def test_a_certificate_that_browsers_refuse(
    client: Client, serve: Serve, authority: trustme.CA, name: str, days: int, problem: str
) -> None:
    """Why is said, and the certificate is told all the same."""
    end = datetime.now(UTC) + timedelta(days=days, hours=1)
    certificate = authority.issue_cert(name, not_before=end - timedelta(days=60), not_after=end)
    answer = check(client, "secure.example", serve(certificate))
    assert answer["trusted"] is False
    assert problem in answer["problem"]
    assert answer["certificate"]["names"] == [name]
    assert answer["certificate"]["days_left"] == days


def test_an_authority_that_nobody_knows(client: Client, serve: Serve) -> None:
    """It is what is wrong."""
    answer = check(client, HOST, serve(trustme.CA().issue_cert(HOST)))
    assert (answer["trusted"], answer["certificate"]["names"]) == (False, [HOST])
    assert "issuer" in answer["problem"]


def test_a_server_that_speaks_no_tls(client: Client, serve: Serve) -> None:
    """There is no answer: 502."""
    port = serve(talk=lambda connection: connection.sendall(b"220 mail.example ESMTP\r\n"))
    answer = client.get(PATH, params={"host": HOST, "port": port})
    assert (answer.status_code, answer.json["code"]) == (502, "bad_gateway")
    assert "TLS fails" in answer.json["error"]


def test_nobody_there(client: Client) -> None:
    """There is no answer either."""
    answer = client.get(PATH, params={"host": HOST, "port": free_port()})
    assert answer.status_code == 502


def silence(connection: socket.socket) -> None:
    """Take what comes until the client has enough."""
    while connection.recv(4096):
        pass


def drip(connection: socket.socket) -> None:
    """Say a handshake byte by byte, and never to its end."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.settimeout(0.02)
    record = b"\x16\x03\x03\x40\x00" + b"\x02\x00\x3f\xfc" + b"\x03\x03" + b"\x00" * 16_000
    for byte in record:
        connection.sendall(bytes([byte]))
        try:
            if not connection.recv(4096):
                return
        except TimeoutError:
            continue


@pytest.mark.parametrize("talk", [silence, drip])
def test_a_server_that_stalls(application: Application, serve: Serve, talk: Any) -> None:
    """The deadline is for everything together."""
    tool = replace(enabled_tools(application)["tls"], deadline=0.6)
    texts = {"host": HOST, "port": str(serve(talk=talk))}
    began = time.monotonic()
    with pytest.raises(BadGateway):
        runner(application).run(tool, texts, None)
    assert time.monotonic() - began < 2.6


def test_the_guard_comes_with_it(client: Client, name_server: DNSServer) -> None:
    """Nobody looks at a server in this network under whatever name."""
    name_server.tell("inside.example", "10.0.0.1")
    for host in ("10.0.0.1", "inside.example", "0xa.1", "::1", "::ffff:10.0.0.1", "fe80::1"):
        answer = client.get(PATH, params={"host": host})
        assert (answer.status_code, answer.json["code"]) == (400, "target_refused"), host


def test_the_command_comes_with_it() -> None:
    """With the port as an option."""
    environ = {"IPCRAFT_PLUGINS_ENABLE": "tls_check", "IPCRAFT_ALLOWED_NETWORKS": HOST}
    runner = CliRunner(env=environ)
    refused = runner.invoke(program, ["tool", "tls", HOST, "--port", str(free_port())])
    assert refused.exit_code == 1
    assert "nothing listens" in refused.output


@given(st.binary(max_size=300))
def test_what_is_no_certificate_is_an_error(noise: bytes) -> None:
    """Whatever bytes a server calls one."""
    with pytest.raises(Unreachable):
        read_certificate(noise, now=0)


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@given(st.integers(0, 600), st.binary(min_size=1, max_size=4))
def test_a_spoilt_certificate_is_read_or_an_error(place: int, noise: bytes) -> None:
    """No other error comes of it."""
    spoilt = bytearray(_CERTIFICATE)
    spoilt[place : place + len(noise)] = noise
    with suppress(Unreachable):
        assert read_certificate(bytes(spoilt), now=0)["fingerprint"]


_CERTIFICATE = der(trustme.CA().issue_cert("secure.example"))
