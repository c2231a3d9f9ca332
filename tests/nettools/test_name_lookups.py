"""`dns` and `rdns`: three resolvers, each for itself, and the memory for what they say."""

from __future__ import annotations

from typing import Any

import pytest

from ipcraft.testing import Client, Clock
from ipcraft.testing.services import DNSServer, free_port

from .conftest import RESOLVERS, Tools

Resolvers = dict[str, DNSServer]

DNS = "/api/v1/tools/dns"
RDNS = "/api/v1/tools/rdns"


def lookup(tools: Client, domain: str, kind: str = "A") -> Any:
    """Ask for records and give the answer's body."""
    answer = tools.get(DNS, params={"domain": domain, "type": kind})
    assert answer.status_code == 200, answer.text
    return answer.json


def tell(resolvers: Resolvers, name: str, kind: str, *values: str, ttl: int = 300) -> None:
    """Have all resolvers know records."""
    for server in resolvers.values():
        server.tell_records(name, kind, *values, ttl=ttl)


def questions(resolvers: Resolvers) -> int:
    """Count what was asked."""
    return sum(len(server.questions) for server in resolvers.values())


def test_all_three_are_asked(tools: Client, resolvers: Resolvers) -> None:
    """Each says what it knows, under its name."""
    for number, server in enumerate(resolvers.values()):
        server.tell("example.com", f"93.184.216.{number}")
    answer = lookup(tools, "example.com")
    assert answer == {
        "domain": "example.com",
        "type": "A",
        "resolvers": {
            "google": ["93.184.216.0"],
            "cloudflare": ["93.184.216.1"],
            "quad9": ["93.184.216.2"],
        },
        "status": "NOERROR",
        "statuses": dict.fromkeys(RESOLVERS, "NOERROR"),
    }


@pytest.mark.parametrize(
    ("kind", "records", "shown"),
    [
        ("A", ("8.8.8.8", "8.8.4.4"), ["8.8.4.4", "8.8.8.8"]),
        ("AAAA", ("2001:4860:4860::8888",), ["2001:4860:4860::8888"]),
        ("MX", ("10 mail.example.com.", "0 ."), ["0 .", "10 mail.example.com"]),
        ("TXT", ('"v=spf1 " "-all"', '"gr\\195\\188n"'), ["grün", "v=spf1 -all"]),
        ("NS", ("ns1.example.com.",), ["ns1.example.com"]),
        ("CNAME", ("www.example.net.",), ["www.example.net"]),
        ("SOA", ("ns. who. 1 2 3 4 5",), ["ns who 1 2 3 4 5"]),
    ],
)
def test_records_are_written_as_people_do(
    tools: Client, resolvers: Resolvers, kind: str, records: tuple[str, ...], shown: list[str]
) -> None:
    """Texts without quotes, names without the dot at their end, in a stable order."""
    tell(resolvers, "example.com", kind, *records)
    assert lookup(tools, "example.com", kind)["resolvers"]["quad9"] == shown


def test_an_alias_is_followed(tools: Client, resolvers: Resolvers) -> None:
    """To the records at its end."""
    for server in resolvers.values():
        server.alias("www.example.com", "example.net")
        server.tell("example.net", "8.8.8.8")
    assert lookup(tools, "www.example.com")["resolvers"]["google"] == ["8.8.8.8"]


def test_a_name_that_does_not_exist(tools: Client, resolvers: Resolvers) -> None:
    """It is an empty list with a status, and no failure."""
    answer = lookup(tools, "nobody.example")
    assert answer["resolvers"] == {name: [] for name in RESOLVERS}
    assert answer["status"] == "NXDOMAIN"


def test_a_name_without_such_records(tools: Client, resolvers: Resolvers) -> None:
    """It is told from one that does not exist."""
    tell(resolvers, "example.com", "MX", "10 mail.example.com.")
    answer = lookup(tools, "example.com", "TXT")
    assert (answer["resolvers"]["google"], answer["status"]) == ([], "NOERROR")


def test_one_that_fails_is_an_error_beside_the_others(tools: Client, resolvers: Resolvers) -> None:
    """With a word why; the others' answers stay."""
    tell(resolvers, "example.com", "A", "8.8.8.8")
    resolvers["google"].fail("example.com", "A", "SERVFAIL")
    answer = lookup(tools, "example.com")
    assert answer["resolvers"] == {
        "google": {"error": "answers SERVFAIL"},
        "cloudflare": ["8.8.8.8"],
        "quad9": ["8.8.8.8"],
    }
    assert (answer["status"], answer["statuses"]["google"]) == ("NOERROR", None)


def test_a_cut_answer_is_asked_for_again(tools: Client, resolvers: Resolvers) -> None:
    """By TCP, where there is room."""
    tell(resolvers, "example.com", "TXT", *(f'"{number:0>200}"' for number in range(30)))
    assert len(lookup(tools, "example.com", "TXT")["resolvers"]["google"]) == 30
    assert [each.transport for each in resolvers["google"].questions] == ["udp", "tcp"]


@pytest.mark.parametrize(
    ("records", "why"),
    [
        ([f'"{number:0>200}"' for number in range(90)], "bytes"),
        ([f'"{number}"' for number in range(400)], "records"),
    ],
)
def test_too_much_is_not_read(
    tools: Client, resolvers: Resolvers, records: list[str], why: str
) -> None:
    """An answer of too many bytes or records is an error of the resolver that gives it."""
    resolvers["google"].tell_records("example.com", "TXT", *records)
    assert why in lookup(tools, "example.com", "TXT")["resolvers"]["google"]["error"]


def test_what_is_no_answer_is_not_listened_to(tools: Client, resolvers: Resolvers) -> None:
    """Noise before the answer does no harm."""
    tell(resolvers, "example.com", "A", "8.8.8.8")
    resolvers["google"].prefix = b"noise"
    assert lookup(tools, "example.com")["resolvers"]["google"] == ["8.8.8.8"]


def test_an_internationalized_name_is_asked_for_in_ascii(
    tools: Client, resolvers: Resolvers
) -> None:
    """As UTS 46 says."""
    tell(resolvers, "xn--bcher-kva.example", "A", "8.8.8.8")
    answer = lookup(tools, "Bücher.example")
    assert answer["domain"] == "xn--bcher-kva.example"
    assert answer["resolvers"]["google"] == ["8.8.8.8"]


@pytest.mark.parametrize(
    "query",
    [
        {"type": "A"},
        {"domain": "example.com"},
        {"domain": "example.com", "type": "ANY"},
        {"domain": "example.com", "type": ["A", "MX"]},
        {"domain": "", "type": "A"},
        {"domain": "8.8.8.8", "type": "A"},
        {"domain": "localhost", "type": "A"},
        {"domain": "a..example", "type": "A"},
        {"domain": f"{'a' * 64}.example", "type": "A"},
        {"domain": ".".join(["abc"] * 80), "type": "A"},
        {"domain": "example.com\r\nevil", "type": "A"},
        {"domain": "exa mple.com", "type": "A"},
        {"domain": "ex*mple.com", "type": "A"},
    ],
)
def test_what_cannot_be_a_question_is_not_asked(
    tools: Client, resolvers: Resolvers, query: dict[str, Any]
) -> None:
    """It is refused with the field that is wrong, and no resolver hears of it."""
    answer = tools.get(DNS, params=query, params_csv=False)
    assert answer.status_code == 400
    assert set(answer.json["fields"]) < {"domain", "type"}
    assert questions(resolvers) == 0


def test_a_type_may_be_in_lower_case(tools: Client, resolvers: Resolvers) -> None:
    """It is answered in upper case."""
    assert lookup(tools, "example.com", "mx")["type"] == "MX"


def test_an_answer_is_remembered_for_its_own_time(
    tools: Client, resolvers: Resolvers, clock: Clock
) -> None:
    """Until the shortest of the times that the resolvers give; a client is told how long."""
    tell(resolvers, "example.com", "A", "8.8.8.8")
    resolvers["quad9"].tell_records("example.com", "A", "8.8.8.8", ttl=60)
    first = tools.get(DNS, params={"domain": "example.com", "type": "A"})
    assert first.headers["cache-control"] == "private, max-age=60"
    clock.advance(seconds=59)
    again = tools.get(DNS, params={"domain": "EXAMPLE.com.", "type": "a"})
    assert (again.json, questions(resolvers)) == (first.json, 3)
    assert again.headers["cache-control"] == "private, max-age=1"
    clock.advance(seconds=1)
    lookup(tools, "example.com")
    assert questions(resolvers) == 6


def test_that_there_is_nothing_is_remembered_as_long_as_it_says(
    tools: Client, resolvers: Resolvers, clock: Clock
) -> None:
    """The zone's start of authority says how long (RFC 2308); without one it is not believed."""
    lookup(tools, "nobody.example")
    lookup(tools, "nobody.example")
    assert questions(resolvers) == 6
    for server in resolvers.values():
        server.negative_ttl = 30
    for _ in range(3):
        lookup(tools, "nobody.example")
    assert questions(resolvers) == 9
    clock.advance(seconds=30)
    lookup(tools, "nobody.example")
    assert questions(resolvers) == 12


def test_a_failure_is_not_remembered(tools: Client, resolvers: Resolvers) -> None:
    """It may be over at any moment."""
    tell(resolvers, "example.com", "A", "8.8.8.8")
    resolvers["google"].fail("example.com", "A")
    lookup(tools, "example.com")
    lookup(tools, "example.com")
    assert questions(resolvers) == 6


def test_the_names_of_an_address(tools: Client, resolvers: Resolvers) -> None:
    """Those of the first resolver that answers, and each one's."""
    tell(resolvers, "8.8.8.8.in-addr.arpa", "PTR", "dns.google.", "other.example.")
    answer = tools.get(RDNS, params={"ip": "8.8.8.8"})
    assert answer.status_code == 200
    assert answer.json["ip"] == "8.8.8.8"
    assert answer.json["hostnames"] == ["dns.google", "other.example"]
    assert set(answer.json["resolvers"]) == set(RESOLVERS)


def test_the_names_of_an_ipv6_address(tools: Client, resolvers: Resolvers) -> None:
    """They are asked for by its nibbles."""
    name = ".".join(reversed("20014860486000000000000000008888"))
    tell(resolvers, f"{name}.ip6.arpa", "PTR", "dns.google.")
    answer = tools.get(RDNS, params={"ip": "2001:4860:4860::8888"})
    assert answer.json["hostnames"] == ["dns.google"]


def test_an_address_without_a_name(tools: Client, resolvers: Resolvers) -> None:
    """It has none, with a status."""
    answer = tools.get(RDNS, params={"ip": "8.8.8.8"}).json
    assert (answer["hostnames"], answer["status"]) == ([], "NXDOMAIN")


def test_the_first_that_answers_counts(tools: Client, resolvers: Resolvers) -> None:
    """One that fails is an error beside it; when all fail, there is no answer to give."""
    name = "8.8.8.8.in-addr.arpa"
    tell(resolvers, name, "PTR", "dns.google.")
    resolvers["google"].fail(name, "PTR")
    assert tools.get(RDNS, params={"ip": "8.8.8.8"}).json["hostnames"] == ["dns.google"]
    for server in resolvers.values():
        server.fail(name, "PTR")
    answer = tools.get(RDNS, params={"ip": "8.8.8.8"})
    assert (answer.status_code, answer.json["code"]) == (502, "bad_gateway")


@pytest.mark.parametrize("ip", ["10.0.0.1", "127.0.0.1", "::1", "0x7f.1", "169.254.169.254"])
def test_names_of_addresses_that_are_nobodys_business(public_tools: Client, ip: str) -> None:
    """On a public service only what is globally routable is served, whatever its spelling."""
    answer = public_tools.get(RDNS, params={"ip": ip})
    assert (answer.status_code, answer.json["code"]) == (400, "target_refused")
    assert set(answer.json["fields"]) == {"ip"}


def test_a_name_is_no_address(tools: Client) -> None:
    """The refusal says which parameter is meant."""
    answer = tools.get(RDNS, params={"ip": "example.com"})
    assert answer.status_code == 400
    assert answer.json["fields"] == {"ip": ["ip must be an IP address, not a name"]}


def test_a_resolver_that_is_not_there(make_tools: Tools) -> None:
    """It is known at once."""
    tools = make_tools(resolvers=[f"gone=127.0.0.1:{free_port()}"])
    error = lookup(tools, "example.com")["resolvers"]["gone"]["error"]
    assert error == "cannot be reached: Connection refused"
