"""`myip` and `headers`: who asks, also behind proxies, and never their secrets."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipcraft.plugin import Deadline
from ipcraft.testing import Client
from ipcraft_nettools import Asker, Call
from ipcraft_nettools.request_mirror import my_headers, my_ip

from .conftest import Tools

MYIP = "/api/v1/tools/myip"
HEADERS = "/api/v1/tools/headers"
CANARY = "do-not-echo-me"


def asked(tools: Client, path: str, peer: str = "203.0.113.42", **headers: str) -> Any:
    """Ask from an address, and give the answer's body."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = tools.get(path, headers=sent, remote_addr=peer)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.json


def test_an_address_is_told(tools: Client) -> None:
    """And which network counts as one client."""
    assert asked(tools, MYIP) == {"ip": "203.0.113.42", "version": 4, "network": "203.0.113.42"}
    assert asked(tools, MYIP, "2001:db8::1:2:3:4") == {
        "ip": "2001:db8::1:2:3:4",
        "version": 6,
        "network": "2001:db8::/64",
    }


@pytest.mark.parametrize(
    ("peer", "ip"),
    [
        ("::ffff:203.0.113.42", "203.0.113.42"),
        ("fe80::1%eth0", "fe80::1"),
        ("2001:DB8:0::1", "2001:db8::1"),
    ],
)
def test_an_address_is_spelled_as_usual(tools: Client, peer: str, ip: str) -> None:
    """IPv4 in IPv6's clothes is IPv4; no zone is told."""
    assert asked(tools, MYIP, peer)["ip"] == ip


def test_a_forwarding_header_counts_only_from_a_trusted_proxy(make_tools: Tools) -> None:
    """From the right end of the chain."""
    forwarded = "198.51.100.1, 203.0.113.42"
    assert asked(make_tools(), MYIP, "192.0.2.1", X_Forwarded_For=forwarded)["ip"] == "192.0.2.1"
    trusting = make_tools(settings={"trusted_proxies": ["192.0.2.0/24"]})
    assert asked(trusting, MYIP, "192.0.2.1", X_Forwarded_For=forwarded)["ip"] == "203.0.113.42"
    assert asked(trusting, MYIP, "198.51.100.9", X_Forwarded_For=forwarded)["ip"] == "198.51.100.9"


def test_headers_are_told(tools: Client) -> None:
    """As they are usually spelled."""
    answer = asked(tools, HEADERS, user_agent="curl/8.1.0", accept="*/*", X_Forwarded_For="::1")
    shown = {name: answer["headers"][name] for name in ("User-Agent", "Accept", "X-Forwarded-For")}
    assert shown == {"User-Agent": "curl/8.1.0", "Accept": "*/*", "X-Forwarded-For": "::1"}
    assert "Host" in answer["headers"]
    assert answer["withheld"] == []


def test_what_a_proxy_added_is_not_told(make_tools: Tools) -> None:
    """The client did not send it, and it tells of the operator's network."""
    tools = make_tools(settings={"trusted_proxies": ["192.0.2.0/24"]})
    answer = asked(
        tools,
        HEADERS,
        "192.0.2.1",
        X_Forwarded_For="203.0.113.42",
        X_Forwarded_Proto="https",
        X_Real_IP="203.0.113.42",
        Via="1.1 inside",
        Forwarded="for=203.0.113.42;by=10.0.0.1",
        Accept="*/*",
    )
    assert {"Accept", "Host"} <= set(answer["headers"]) <= {"Accept", "Host", "User-Agent"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Cookie", f"session={CANARY}"),
        ("Cookie2", CANARY),
        ("Authorization", f"Bearer {CANARY}"),
        ("Proxy-Authorization", f"Basic {CANARY}"),
        ("X-Api-Key", CANARY),
        ("X-Auth-Token", CANARY),
        ("X-Amz-Security-Token", CANARY),
        ("X-CSRF-Token", CANARY),
        ("X-Session-Id", CANARY),
        ("Cf-Access-Jwt-Assertion", CANARY),
        ("X-Forwarded-Client-Cert", CANARY),
        ("X-Forwarded-Access-Token", CANARY),
        ("X-Amzn-Oidc-Data", CANARY),
        ("Dpop", CANARY),
        ("Signature", CANARY),
        ("X-My-Passwd", CANARY),
        ("X-Anything", f"Bearer {CANARY}"),
        ("X-Anything", f"basic {CANARY}"),
        ("X-Anything", f"the key is ipc_{CANARY}"),
        ("X-Anything", f"whsec_{CANARY}"),
        ("Referer", f"https://me:{CANARY}@example.com/"),
    ],
)
def test_secrets_are_never_echoed(tools: Client, name: str, value: str) -> None:
    """Only that there was such a header."""
    answer = tools.get(HEADERS, headers={name: value})
    assert answer.status_code == 200
    assert CANARY not in answer.text
    assert answer.json["withheld"] == [name.title()]


def test_an_own_key_is_never_echoed(make_tools: Tools) -> None:
    """Nor a session's cookie, when both come along."""
    tools = make_tools()
    tools.key, tools.session = CANARY, f"{CANARY}2"
    assert CANARY not in tools.get(HEADERS).text


def test_a_megabyte_of_headers_is_not_sent_back(tools: Client) -> None:
    """64 KiB of them are."""
    headers = {f"X-Large-{number}": "x" * 8000 for number in range(100)}
    assert len(tools.get(HEADERS, headers=headers).content) < 70_000


def call(asker: Asker) -> Call:
    """Make a call that reaches nobody."""
    return Call(None, deadline=Deadline(1), asker=asker)  # type: ignore[arg-type] # nobody is reached


HEADER = st.dictionaries(st.text(max_size=40), st.text(max_size=200), max_size=8)


@given(st.text(max_size=80), HEADER, st.booleans())
def test_whatever_is_sent_is_answered(address: str, headers: dict[str, str], proxied: bool) -> None:  # noqa: FBT001
    """Each header is shown, withheld, or a proxy's."""
    asker = Asker(address, headers, proxied=proxied)
    assert my_ip({}, call(asker)).body["ip"] is not None
    body = my_headers({}, call(asker)).body
    told = {*body["headers"], *body["withheld"]}
    assert told <= set(headers)
    assert proxied or told == set(headers)


def test_looking_for_secrets_is_quick() -> None:
    """Also in values that are made to hold a pattern up."""
    values = ["://" + ":" * 60_000, "://" * 20_000, "ipc" * 20_000, "eyj" * 20_000, "a " * 30_000]
    headers = {f"X-{number}": value for number, value in enumerate(values)}
    began = time.process_time()
    my_headers({}, call(Asker("", headers)))
    assert time.process_time() - began < 0.05
