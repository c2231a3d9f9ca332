"""The network tools' examples, asked of a served process with resolvers and WHOIS of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from ipcraft.testing import Served
from ipcraft.testing.databases import SQLiteDatabases
from ipcraft.testing.services import DNSServer, WhoisServer, free_port

from .reference import EXAMPLES, differences

RAW = "Domain Name: EXAMPLE.COM\nRegistry Domain ID: 2336799_DOMAIN_COM-VRSN\n"
SCANNED = (
    *(21, 22, 23, 25, 53, 80, 110, 143, 443, 445, 465, 587, 993, 995),
    *(3306, 3389, 5432, 8080, 8443),
)


@pytest.fixture(scope="module")
def resolver() -> Iterator[DNSServer]:
    """Give a server that knows the names of the examples; it serves as all three."""
    with DNSServer() as server:
        server.tell("example.com", "93.184.216.34")
        server.tell("here.example", "127.0.0.1")
        server.tell_records("8.8.8.8.in-addr.arpa", "PTR", "dns.google.")
        yield server


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, resolver: DNSServer) -> Iterator[str]:
    """Serve an installation whose tools ask our servers, and may reach loopback."""
    folder = tmp_path_factory.mktemp("tools")
    with WhoisServer() as whois:
        whois.tell("example.com", RAW)
        environ = {
            "IPCRAFT_ALLOWED_NETWORKS": "127.0.0.0/8",
            "IPCRAFT_OUTBOUND_NAME_SERVERS": resolver.address,
            "IPCRAFT_NETTOOLS_WHOIS_SERVER": whois.address,
            "IPCRAFT_NETTOOLS_RESOLVERS": ",".join(
                f"{name}={resolver.address}" for name in ("google", "cloudflare", "quad9")
            ),
            "IPCRAFT_NETTOOLS_REQUESTS_PER_MINUTE": "1000",
        }
        with Served(SQLiteDatabases(folder).create(), folder, environ=environ) as served:
            yield served.url


def asked(url: str, tool: str, **params: object) -> Any:
    """Ask a tool without credentials, and give the answer's body."""
    answer = requests.get(f"{url}/api/v1/tools/{tool}", params=params, timeout=30)  # type: ignore[arg-type] # requests takes numbers too
    assert answer.status_code == 200, answer.text
    assert answer.headers["RateLimit-Policy"] == '"tools";q=1000;w=60'
    assert "RateLimit" in answer.headers
    assert differences(EXAMPLES[f"GET /api/v1/tools/{tool}"].response, answer.json()) == []
    return answer.json()


def test_dns(url: str) -> None:
    """Three resolvers say the same about the example's name."""
    answer = asked(url, "dns", domain="example.com", type="A")
    example = EXAMPLES["GET /api/v1/tools/dns"].response
    assert {key: answer[key] for key in example} == example


def test_dns_of_a_name_that_does_not_exist(url: str) -> None:
    """The lists are empty, and a status says why."""
    answer = requests.get(
        f"{url}/api/v1/tools/dns", params={"domain": "nobody.example", "type": "A"}, timeout=30
    ).json()
    assert answer["resolvers"] == {"google": [], "cloudflare": [], "quad9": []}
    assert answer["status"] == "NXDOMAIN"


def test_rdns(url: str) -> None:
    """The example's address has the example's name."""
    answer = asked(url, "rdns", ip="8.8.8.8")
    example = EXAMPLES["GET /api/v1/tools/rdns"].response
    assert {key: answer[key] for key in example} == example


def test_whois(url: str) -> None:
    """The registry's text is given as it is."""
    answer = asked(url, "whois", query="example.com")
    assert (answer["query"], answer["raw"]) == ("example.com", RAW)


@pytest.mark.parametrize("host", ["127.0.0.1", "here.example"])
def test_ping(url: str, host: str) -> None:
    """A host that answers is reachable, by its name too; the milliseconds are whole."""
    answer = asked(url, "ping", host=host, port=free_port())
    assert (answer["host"], answer["reachable"]) == (host, True)


def test_ports(url: str) -> None:
    """The nineteen ports of the contract are told of, each with its service."""
    answer = asked(url, "ports", host="127.0.0.1")
    assert answer["host"] == "127.0.0.1"
    assert tuple(each["port"] for each in answer["ports"]) == SCANNED
    services = {each["port"]: each["service"] for each in answer["ports"]}
    example = EXAMPLES["GET /api/v1/tools/ports"].response["ports"]
    assert {each["port"]: each["service"] for each in example}.items() <= services.items()


def test_myip(url: str) -> None:
    """The address is the socket's."""
    assert asked(url, "myip")["ip"] == "127.0.0.1"


def test_headers(url: str) -> None:
    """Headers are told under the names that the example has."""
    answer = requests.get(
        f"{url}/api/v1/tools/headers",
        headers={"User-Agent": "curl/8.1.0", "Accept": "*/*", "Cookie": "session=canary"},
        timeout=30,
    )
    example = EXAMPLES["GET /api/v1/tools/headers"].response
    assert differences(example, answer.json()) == []
    assert answer.json()["headers"]["User-Agent"] == "curl/8.1.0"
    assert "canary" not in answer.text


def test_other_methods_are_not_allowed(url: str) -> None:
    """A tool is asked with GET, or HEAD."""
    assert requests.post(f"{url}/api/v1/tools/myip", timeout=30).status_code == 405
    head = requests.head(f"{url}/api/v1/tools/myip", timeout=30)
    assert (head.status_code, head.content) == (200, b"")
