"""`whois`: the first server, the registry it names, and nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from ipcraft.testing import Client
from ipcraft.testing.services import DNSServer, WhoisServer, free_port

from .conftest import Tools

WHOIS = "/api/v1/tools/whois"
LOOPBACK = {"allowed_networks": ["127.0.0.0/8"]}

RECORD = """\
   Domain Name: EXAMPLE.COM
   Registry Domain ID: 2336799_DOMAIN_COM-VRSN
   Registrar WHOIS Server: {registrar}
   Updated Date: 2025-08-14T07:01:39Z
   Creation Date: 1995-08-14T04:00:00Z
   Registry Expiry Date: 2026-08-13T04:00:00Z
   Registrar: RESERVED-Internet Assigned Numbers Authority
   Domain Status: clientDeleteProhibited https://icann.org/epp#clientDeleteProhibited
   Domain Status: clientTransferProhibited https://icann.org/epp#clientTransferProhibited
   Name Server: A.IANA-SERVERS.NET
   Name Server: B.IANA-SERVERS.NET
>>> Last update of whois database: 2025-11-01T00:00:00Z <<<
Registrar: the terms of use
"""

NETWORK = """\
# ARIN WHOIS data

NetRange:       8.0.0.0 - 8.127.255.255
CIDR:           8.0.0.0/9
NetName:        LVLT-ORG-8-8
Organization:   Level 3 Parent, LLC (LPL-141)

NetRange:       8.8.8.0 - 8.8.8.255
CIDR:           8.8.8.0/24
NetName:        GOGL
Organization:   Google LLC (GOGL)
Updated:        2023-12-28

OrgName:        Google LLC
Country:        US
"""

RPSL = """\
% This is the RIPE Database query service.

inet6num:       2001:67c:2e8::/48
netname:        RIPE-NCC
country:        NL
org:            ORG-RIEN1-RIPE

route6:         2001:67c:2e8::/48
origin:         AS3333
"""


@pytest.fixture
def referring(
    make_tools: Tools, whois: WhoisServer, registry: WhoisServer, name_server: DNSServer
) -> Client:
    """Give tools whose first server refers to a registry that the operator named."""
    name_server.tell("whois.registry.example", "127.0.0.1")
    whois.tell("example.com", "domain:  COM\nrefer:   whois.registry.example\n")
    return make_tools(whois_registries=[f"whois.registry.example:{registry.port}"])


def lookup(tools: Client, query: str) -> Any:
    """Ask, and give the answer's body."""
    answer = tools.get(WHOIS, params={"query": query})
    assert answer.status_code == 200, answer.text
    return answer.json


def test_the_registrys_text_is_answered(tools: Client, whois: WhoisServer) -> None:
    """Where nobody is referred to, the first server's text is it."""
    whois.tell("example.com", "Domain Name: EXAMPLE.COM\r\nRegistry Domain ID: 1\r\n")
    answer = lookup(tools, "example.com")
    assert answer["query"] == "example.com"
    assert answer["raw"] == "Domain Name: EXAMPLE.COM\nRegistry Domain ID: 1\n"
    assert (answer["server"], answer["complete"]) == (whois.address, True)
    assert answer["warnings"] == []


def test_the_registry_that_is_named_is_asked(
    referring: Client, whois: WhoisServer, registry: WhoisServer
) -> None:
    """Its text is the answer."""
    registry.tell("example.com", RECORD.format(registrar="whois.iana.org"))
    answer = lookup(referring, "Example.COM.")
    assert answer["raw"].startswith("   Domain Name: EXAMPLE.COM")
    assert answer["server"] == f"whois.registry.example:{registry.port}"
    assert (whois.queries, registry.queries) == (["example.com"], ["example.com"])


def test_what_is_certain_is_parsed(referring: Client, registry: WhoisServer) -> None:
    """Times as everywhere, statuses and name servers as lists, and nothing of the advice below."""
    registry.tell("example.com", RECORD.format(registrar="whois.iana.org"))
    assert lookup(referring, "example.com")["parsed"] == {
        "registrar": "RESERVED-Internet Assigned Numbers Authority",
        "created_at": "1995-08-14T04:00:00Z",
        "updated_at": "2025-08-14T07:01:39Z",
        "expires_at": "2026-08-13T04:00:00Z",
        "statuses": ["clientDeleteProhibited", "clientTransferProhibited"],
        "name_servers": ["a.iana-servers.net", "b.iana-servers.net"],
    }


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("Domain Name: OTHER.COM\nRegistrar: Somebody\n", {}),
        ("Domain Name: EXAMPLE.COM\nDomain Name: OTHER.COM\nRegistrar: Somebody\n", {}),
        ("Domain Name: EXAMPLE.COM\nRegistrar: One\nRegistrar: Two\n", {}),
        ("Domain Name: EXAMPLE.COM\nCreation Date: yesterday\n", {}),
        ("Domain Name: EXAMPLE.COM\nCreation Date: 2025-01-01T00:00:00\n", {}),
        ("Domain Name: EXAMPLE.COM\nRegistrar: One\nRegistrar: One\n", {"registrar": "One"}),
        ("no colon\n: no key\nDomain Name:\n", {}),
    ],
)
def test_what_is_not_certain_is_left_out(
    tools: Client, whois: WhoisServer, text: str, parsed: dict[str, Any]
) -> None:
    """Another domain's record, two words about one thing, a time without a zone."""
    whois.tell("example.com", text)
    assert lookup(tools, "example.com")["parsed"] == parsed


def test_the_smallest_network_around_an_address_is_parsed(
    tools: Client, whois: WhoisServer
) -> None:
    """Of several that a registry tells of."""
    whois.tell("8.8.8.8", NETWORK)
    assert lookup(tools, "8.8.8.8")["parsed"] == {
        "networks": ["8.8.8.0/24"],
        "name": "GOGL",
        "organization": "Google LLC (GOGL)",
    }


def test_an_ipv6_address_is_looked_up(tools: Client, whois: WhoisServer) -> None:
    """As an address, not as a domain."""
    whois.tell("2001:67c:2e8:22::c100:68b", RPSL)
    assert lookup(tools, "2001:67C:2e8:22::C100:68b")["parsed"] == {
        "networks": ["2001:67c:2e8::/48"],
        "name": "RIPE-NCC",
        "country": "NL",
    }


def test_only_a_registry_of_addresses_is_asked_about_addresses(
    make_tools: Tools, whois: WhoisServer, registry: WhoisServer, name_server: DNSServer
) -> None:
    """One of the five, or one that the operator named: anybody else is not asked."""
    name_server.tell("whois.registry.example", "127.0.0.1")
    whois.tell("8.8.8.8", "refer: whois.registry.example\n")
    registry.tell("8.8.8.8", NETWORK)
    answer = lookup(make_tools(settings=LOOPBACK), "8.8.8.8")
    assert "no known registry" in answer["warnings"][0]
    assert answer["raw"] == "refer: whois.registry.example\n"
    assert name_server.questions == []
    named = make_tools(whois_registries=[f"whois.registry.example:{registry.port}"])
    assert lookup(named, "8.8.8.8")["parsed"]["name"] == "GOGL"


@pytest.mark.parametrize(
    "referral",
    [
        "127.0.0.1:{port}",
        "127.0.0.1",
        "[::1]:{port}",
        "2130706433:{port}",
        "evil.example:{port}",
        "whois://evil.example",
        "evil.example\x00",
        "user@evil.example",
        "a" * 5000,
    ],
)
def test_a_stranger_is_not_asked(
    make_tools: Tools, whois: WhoisServer, name_server: DNSServer, referral: str
) -> None:
    """What is referred to is a registry by its name and at the usual port, or left alone."""
    name_server.tell("evil.example", "127.0.0.1")
    with WhoisServer() as stranger:
        whois.tell("example.com", f"refer: {referral.format(port=stranger.port)}\n")
        answer = lookup(make_tools(settings=LOOPBACK), "example.com")
        assert stranger.connections == 0
    assert len(answer["warnings"]) == 1
    assert len(answer["warnings"][0]) < 400
    assert name_server.questions == []


def test_a_registry_that_leads_into_this_network_is_not_asked(
    public_tools: Client, whois: WhoisServer, name_server: DNSServer
) -> None:
    """The guard stands before what servers refer to; the answer says that, and no address."""
    name_server.tell("whois.evil.example", "10.0.0.7")
    whois.tell("example.com", "whois: whois.evil.example\n")
    (warning,) = lookup(public_tools, "example.com")["warnings"]
    assert "not globally reachable" in warning
    assert "10.0.0.7" not in warning


def test_a_server_that_refers_to_itself_is_asked_once(tools: Client, whois: WhoisServer) -> None:
    """No loop, and no complaint: it is the registry."""
    whois.tell("example.com", f"refer: {whois.address}\nDomain Name: EXAMPLE.COM\n")
    assert lookup(tools, "example.com")["warnings"] == []
    assert whois.connections == 1


def test_servers_that_refer_to_each_other(
    referring: Client, whois: WhoisServer, registry: WhoisServer
) -> None:
    """Each is asked once: a registry's word about others is text."""
    registry.tell(
        "example.com",
        f"refer: {whois.address}\nwhois: {whois.address}\nReferralServer: whois://{whois.address}\n"
        + RECORD.format(registrar=whois.address),
    )
    lookup(referring, "example.com")
    assert (whois.connections, registry.connections) == (1, 1)


def test_a_registry_that_fails_loses_nothing(
    referring: Client, whois: WhoisServer, registry: WhoisServer
) -> None:
    """The first server's text is answered, and that the registry was not heard."""
    registry.tell("example.com", "", manner="reset")
    answer = lookup(referring, "example.com")
    assert answer["raw"] == "domain:  COM\nrefer:   whois.registry.example\n"
    assert answer["server"] == whois.address
    assert len(answer["warnings"]) == 1


def test_a_first_server_that_is_not_there(make_tools: Tools) -> None:
    """There is no answer: 502."""
    tools = make_tools(whois_server=f"127.0.0.1:{free_port()}")
    answer = tools.get(WHOIS, params={"query": "example.com"})
    assert (answer.status_code, answer.json["code"]) == (502, "bad_gateway")


@pytest.mark.parametrize(
    "query",
    [
        "",
        "example.com\r\nevil.example",
        "example.com\nevil",
        "example.com evil",
        "-T any example.com",
        "n + 8.8.8.8",
        "example.com\t",
        "=example.com",
        "(a+)+$",
        "a" * 300,
        "exam\u2028ple.com",
        "10.0.0.1",
        "::1",
        "localhost",
        "fe80::1%eth0",
    ],
)
def test_what_cannot_be_a_query_is_not_sent(
    public_tools: Client, whois: WhoisServer, query: str
) -> None:
    """Nothing of a client's gets into a query but a name or a public address."""
    answer = public_tools.get(WHOIS, params={"query": query})
    assert answer.status_code == 400
    assert set(answer.json["fields"]) == {"query"}
    assert whois.connections == 0


def test_a_name_of_other_letters_is_sent_in_ascii(tools: Client, whois: WhoisServer) -> None:
    """Registries know the A-label."""
    lookup(tools, "bücher.example")
    assert whois.queries == ["xn--bcher-kva.example"]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("grün".encode(), "grün"),
        ("grün".encode("latin-1"), "grün"),
        (b"a\r\nb\nc\r", "a\nb\nc\r"),
        (b"\x00\x1b[31m", "\x00\x1b[31m"),
    ],
)
def test_text_is_kept_as_it_came(tools: Client, whois: WhoisServer, data: bytes, text: str) -> None:
    """UTF-8 or else Latin-1, with bare line feeds."""
    whois.tell("example.com", data)
    assert lookup(tools, "example.com")["raw"] == text
