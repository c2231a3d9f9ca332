"""TLS is with the host of the name, whatever address it has, and with no other."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from ipcraft.errors import StartError
from ipcraft.outbound.failures import Unreachable
from ipcraft.testing.services import DNSServer

from .conftest import Reach, Receive
from .receivers import serve

Context = Callable[..., ssl.SSLContext]


@pytest.fixture
def context(authority: trustme.CA) -> Context:
    """Give a way to make contexts of servers with certificates for names; SNI is noted."""

    def context(
        *names: str, issuer: trustme.CA = authority, heard: list[str | None] | None = None
    ) -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issuer.issue_cert(*names).configure_cert(made)

        def note(_: ssl.SSLObject, name: str | None, __: ssl.SSLContext) -> None:
            if heard is not None:
                heard.append(name)

        made.sni_callback = note
        return made

    return context


def test_the_name_is_sent_and_verified(
    receive: Receive, reach: Reach, name_server: DNSServer, context: Context, ca_file: str
) -> None:
    """The one of the URL, not the address that was dialled and not an alias's target."""
    heard: list[str | None] = []
    requests: list[bytes] = []
    receiver = receive(serve(requests), context=context("hooks.example", heard=heard))
    name_server.alias("hooks.example", "farm.example")
    name_server.tell("farm.example", "127.0.0.1")
    outbound = reach(outbound_ca_file=ca_file)
    assert outbound.post(receiver.url(host="Hooks.example."), headers={}, body=b"").status == 200
    assert heard == ["hooks.example"]
    assert f"Host: hooks.example:{receiver.port}\r\n".encode() in requests[0]


@pytest.mark.parametrize("names", [["farm.example"], ["127.0.0.1"], ["*.hooks.example"]])
def test_another_hosts_certificate_is_not_accepted(
    receive: Receive,
    reach: Reach,
    name_server: DNSServer,
    context: Context,
    ca_file: str,
    names: list[str],
) -> None:
    """Neither an alias's, nor the address's: nothing is sent."""
    requests: list[bytes] = []
    receiver = receive(serve(requests), context=context(*names))
    name_server.alias("hooks.example", "farm.example")
    name_server.tell("farm.example", "127.0.0.1")
    with pytest.raises(Unreachable, match="certificate is not accepted: Hostname mismatch"):
        reach(outbound_ca_file=ca_file).post(
            receiver.url(host="hooks.example"), headers={}, body=b""
        )
    assert requests == []


def test_an_address_has_a_certificate_of_its_own(
    receive: Receive, reach: Reach, context: Context, ca_file: str
) -> None:
    """Where the URL has the address; no name is sent then (RFC 6066, section 3)."""
    heard: list[str | None] = []
    receiver = receive(serve([]), context=context("127.0.0.1", heard=heard))
    outbound = reach(outbound_ca_file=ca_file)
    assert outbound.post(receiver.url(), headers={}, body=b"").status == 200
    assert heard == [None]


def test_an_authority_must_be_known(receive: Receive, reach: Reach, context: Context) -> None:
    """Without the operator's file, ours is not."""
    receiver = receive(serve([]), context=context("127.0.0.1"))
    with pytest.raises(Unreachable, match="unable to get local issuer certificate"):
        reach().post(receiver.url(), headers={}, body=b"")


def test_the_systems_authorities_are_known(
    receive: Receive,
    reach: Reach,
    context: Context,
    ca_file: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They stay trusted, besides the operator's."""
    system = trustme.CA()
    with system.cert_pem.tempfile() as path:
        monkeypatch.setenv("SSL_CERT_FILE", path)
        outbound = reach(outbound_ca_file=ca_file)
        for made in (context("127.0.0.1", issuer=system), context("127.0.0.1")):
            receiver = receive(serve([]), context=made)
            assert outbound.post(receiver.url(), headers={}, body=b"").status == 200


def test_old_versions_are_not_spoken(
    receive: Receive, reach: Reach, context: Context, ca_file: str
) -> None:
    """TLS 1.2 is the least."""
    made = context("127.0.0.1")
    made.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        made.minimum_version = made.maximum_version = ssl.TLSVersion.TLSv1_1
    receiver = receive(serve([]), context=made)
    with pytest.raises(Unreachable, match="TLS fails"):
        reach(outbound_ca_file=ca_file).post(receiver.url(), headers={}, body=b"")


def test_a_server_without_tls(receive: Receive, reach: Reach) -> None:
    """Is not spoken to in clear."""
    requests: list[bytes] = []
    receiver = receive(serve(requests))
    with pytest.raises(Unreachable, match=r"TLS fails|within"):
        reach().post(receiver.url().replace("http:", "https:"), headers={}, body=b"", deadline=1.0)
    assert requests == []


@pytest.mark.parametrize("text", [None, "", "no certificate"])
def test_a_bad_ca_file_stops_the_start(reach: Reach, ca_file: str, text: str | None) -> None:
    """What is wrong is told with the name of the setting and of the file."""
    path = f"{ca_file}.other"
    if text is not None:
        Path(path).write_text(text, encoding="ascii")
    with pytest.raises(StartError, match=r"outbound_ca_file: no certificates.*other"):
        reach(outbound_ca_file=path)
