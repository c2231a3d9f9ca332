"""Every case of the corpus gets its verdict; names are looked up at a real name server."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from ipcraft.config import load_settings
from ipcraft.outbound.client import Outbound
from ipcraft.outbound.failures import Refused
from ipcraft.outbound.targets import read_url
from ipcraft.testing.services import DNSServer


@dataclass(frozen=True, slots=True)
class Case:
    """Hold a line of the corpus."""

    trick: str
    url: str
    verdict: Literal["allowed", "refused"]
    answers: Sequence[str] = ()
    """What the name server says about the host; without any, the URL alone decides."""
    address: str | None = None
    """The address that the host is another spelling of."""

    def __str__(self) -> str:
        return f"{self.trick}: {self.url[:60]}"


def _read() -> list[Case]:
    lines = (Path(__file__).parent / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    return [Case(**json.loads(line)) for line in lines]


CORPUS = _read()


@pytest.fixture(scope="module")
def server() -> Iterator[DNSServer]:
    """Give one name server for all names."""
    with DNSServer() as server:
        yield server


@pytest.fixture(scope="module")
def outbound(server: DNSServer) -> Outbound:
    """Give a client that nothing is allowed."""
    settings = {"outbound_name_servers": [server.address]}
    return Outbound.of(load_settings(path=Path("/dev/null"), environ={}, overrides=settings))


def verdict(outbound: Outbound, server: DNSServer, case: Case) -> str:
    """Say what becomes of the URL, up to the moment its address would be dialled."""
    try:
        outbound.check(case.url)
        host = read_url(case.url).host
        if case.answers:
            server.tell(host.name, *case.answers)
        if case.answers or host.address:
            outbound.addresses(str(host.address or host.name))
    except Refused:
        return "refused"
    return "allowed"


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: ascii(str(case)))
def test_the_verdict_is_the_corpus(outbound: Outbound, server: DNSServer, case: Case) -> None:
    """Refused or allowed; where the corpus names it, the address meant is the one it names."""
    assert verdict(outbound, server, case) == case.verdict
    if case.address:
        assert str(read_url(case.url).host.address) == case.address


@pytest.mark.parametrize(
    "case", [each for each in CORPUS if each.answers], ids=lambda case: ascii(str(case))
)
def test_names_are_judged_by_their_addresses_only(outbound: Outbound, case: Case) -> None:
    """A URL whose name would lead to a bad address is well-formed: the check lets it pass."""
    outbound.check(case.url)


def test_the_corpus_is_large() -> None:
    """It has 400 cases or more that are different, and 100 or more that must pass."""
    different = {(case.url, tuple(case.answers)) for case in CORPUS}
    assert len(different) == len(CORPUS)
    assert sum(case.verdict == "refused" for case in CORPUS) >= 400
    assert sum(case.verdict == "allowed" for case in CORPUS) >= 100
