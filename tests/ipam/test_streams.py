"""Lists of hundreds of thousands are streamed: the memory of the server stays flat."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import requests

from ipcraft.data.transactions import Transaction
from ipcraft.ids import new_id
from ipcraft.testing import Databases
from ipcraft.testing.serving import Org, Served
from ipcraft_ipam import addresses
from ipcraft_ipam.addresses import Address
from ipcraft_ipam.networks import parse_address

ROWS = 300_000
BATCH = 20_000
GROWTH = 24 << 20
"""Bytes by which the server may grow while it sends 80 MB; as rows in Python they are 300 MB."""

PAGE_CACHE = 64 << 20
"""Bytes that SQLite keeps of the file, in the process itself."""


def fill(served: Served, org: Org, subnet_id: str, *, start: int, end: int) -> None:
    """Write addresses of a /8, from one number to another, behind the API's back."""
    first = parse_address("10.0.0.1")

    def work(tx: Transaction) -> None:
        rows = (
            Address(
                new_id("addr"), "", first + number, subnet_id, f"host-{number}.example.com", None,
                "One of many", "active", "platform-team", tx.now, tx.now,
            )
            for number in range(start, end)
        )  # fmt: skip
        tx.write_many(addresses.INSERT, map(addresses.row, rows))

    served.application.storage.transact(org.id, work)


def received(served: Served, org: Org, path: str) -> Iterator[bytes]:
    """Receive a list bit by bit."""
    headers = {"Authorization": f"Bearer {org.key}"}
    with requests.get(served.url + path, headers=headers, stream=True, timeout=60) as answer:
        assert answer.status_code == 200
        yield from answer.iter_content(1 << 16)


def test_the_memory_stays_flat(databases: Databases, tmp_path: Path) -> None:
    """A list of 300,000 addresses needs no more than one of 20,000, and is whole and in order."""
    url = databases.create()
    allowed = GROWTH + (PAGE_CACHE if url.startswith("sqlite") else 0)
    with Served(url, tmp_path, workers=1, threads=2) as served:
        org = served.organization()
        subnet_id = org.post("/api/v1/subnets", json={"network": "10.0.0.0/8"}).json()["id"]
        fill(served, org, subnet_id, start=0, end=BATCH)
        path = f"/api/v1/subnets/{subnet_id}/addresses"
        assert sum(chunk.count(b'"id":') for chunk in received(served, org, path)) >= BATCH - 400
        for start in range(BATCH, ROWS, BATCH):
            fill(served, org, subnet_id, start=start, end=start + BATCH)
        (worker,) = psutil.Process(served.process.pid).children()
        before, most, last = worker.memory_info().rss, 0, b""
        rows = 0
        for chunk in received(served, org, path):
            # A key may be cut by the end of a chunk: what is left of the last one goes before.
            text = last + chunk
            rows += text.count(b'{"id":"addr_')
            last = text[text.rfind(b"{") :] if b"{" in text else text
            rows -= last.count(b'{"id":"addr_')
            most = max(most, worker.memory_info().rss)
        rows += last.count(b'{"id":"addr_')
        assert rows == ROWS
        assert last.endswith(b"}]")
        assert most - before < allowed
