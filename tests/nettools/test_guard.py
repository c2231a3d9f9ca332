"""Every case of the guard's corpus, as the target of each tool: nothing forbidden is dialled."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from threading import get_ident
from typing import Any
from urllib.parse import urlencode

import pytest

from ipcraft.outbound.failures import Refused
from ipcraft.outbound.hosts import read_host
from ipcraft.testing import Client
from ipcraft.testing.services import DNSServer, WhoisServer

CORPUS = Path(__file__).parent.parent / "outbound" / "corpus.jsonl"
OF_URLS = {"scheme", "port", "path", "public URL"}
"""Tricks about other parts of a URL than its host."""
TARGETS = {"ping": "host", "ports": "host", "rdns": "ip", "whois": "query"}

_AUTHORITY = re.compile(r"[a-z]+:[/\\]*(?P<host>[^/?#]*)", re.IGNORECASE | re.DOTALL)
_dialled: dict[int, list[tuple[str, int]]] = {}
"""Where each thread that is watched connects to."""


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.sendto") and get_ident() in _dialled:
        _dialled[get_ident()].append(arguments[1][:2])


sys.addaudithook(_note)  # which cannot be taken away again


@contextmanager
def noted() -> Iterator[list[tuple[str, int]]]:
    """Note where this thread connects, or sends a datagram, to; the servers have their own."""
    _dialled[get_ident()] = []
    try:
        yield _dialled[get_ident()]
    finally:
        del _dialled[get_ident()]


def cases(verdict: str) -> list[dict[str, Any]]:
    """Give the corpus's cases of a verdict that are about the host."""
    lines = CORPUS.read_text(encoding="utf-8").splitlines()
    read = [json.loads(line) for line in lines]
    return [each for each in read if each["verdict"] == verdict and each["trick"] not in OF_URLS]


def spellings(url: str) -> set[str]:
    """Give what a client may send as the host of this URL: bare, bracketed, or all of it."""
    match = _AUTHORITY.match(url)
    host = match["host"] if match else url
    found = {host, host.removeprefix("[").removesuffix("]"), url}
    return {each for each in found if not is_public(each)}


def is_public(host: str) -> bool:
    """Tell whether it is an address that anybody may reach; in a URL it would want brackets."""
    try:
        return ip_address(host).is_global
    except ValueError:
        return False


def test_nothing_forbidden_is_dialled(
    public_tools: Client,
    resolvers: dict[str, DNSServer],
    whois: WhoisServer,
    name_server: DNSServer,
) -> None:
    """Whatever the spelling, and wherever the name leads: it is refused, and nobody is reached.

    But for the operator's own servers: names are looked up before they can be judged.
    """
    ports = [whois.port, name_server.port, *(server.port for server in resolvers.values())]
    ours = {("127.0.0.1", port) for port in ports}
    asked = 0
    for case in cases("refused"):
        for host in spellings(case["url"]):
            answers = case.get("answers")
            if answers:
                name_server.tell(host, *answers)
            for tool, parameter in TARGETS.items():
                query = urlencode({parameter: host}, errors="surrogatepass")
                with noted() as dialled:
                    answer = public_tools.get(f"/api/v1/tools/{tool}", query_string=query)
                assert set(dialled) <= ours, (tool, host)
                if tool == "rdns" or not is_harmless(host, asks=tool == "whois" or not answers):
                    assert answer.status_code == 400, (tool, host, answer.text)
                asked += 1
    assert asked > 4000


def is_harmless(host: str, *, asks: bool) -> bool:
    """Tell whether it is a name that leads nowhere, or one that is only asked about."""
    try:
        return asks and read_host(host).address is None
    except Refused:
        return False


def test_a_name_that_leads_elsewhere_the_second_time(
    public_tools: Client, name_server: DNSServer
) -> None:
    """What was judged is what is dialled: a name is looked up once."""
    name_server.tell_in_turn("rebinding.example", ["10.0.0.1"], ["8.8.8.8"])
    with noted() as dialled:
        answer = public_tools.get("/api/v1/tools/ping", params={"host": "rebinding.example"})
    assert answer.status_code == 400
    assert set(dialled) <= {("127.0.0.1", name_server.port)}


@pytest.mark.parametrize("tool", ["ping", "ports"])
def test_what_is_allowed_is_dialled(tools: Client, tool: str) -> None:
    """The proof that dialling is noted: loopback is, where the operator allows it."""
    with noted() as dialled:
        assert tools.get(f"/api/v1/tools/{tool}", params={"host": "127.1"}).status_code == 200
    assert ("127.0.0.1", 443) in dialled
