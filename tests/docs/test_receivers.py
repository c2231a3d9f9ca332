"""The receivers that the pages show get and verify what a served process sends."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import IO

import pytest
import requests

from ipcraft.testing import Databases
from ipcraft.testing.services import WebhookReceiver, free_port
from ipcraft.testing.services.processes import answers, wait_until
from ipcraft.testing.serving import Org, Served

from .pages import DOCS, snippet_of

PAGE = DOCS / "how-to" / "receive-webhooks.md"
PATIENCE = 60.0


@pytest.fixture
def org(databases: Databases, tmp_path: Path) -> Iterator[Org]:
    """Give an organization of a process whose webhooks may lead to this machine."""
    environ = {"IPCRAFT_ALLOWED_NETWORKS": "127.0.0.1"}
    with Served(databases.create(), tmp_path, environ=environ) as served:
        yield served.organization()


def _read(printed: IO[bytes], lines: Queue[str]) -> None:
    for line in printed:
        lines.put(line.decode().strip())


@contextmanager
def running(folder: Path, port: int, *secrets: str) -> Iterator[Queue[str]]:
    """Run the page's receiver and give the lines that it prints."""
    program = folder / "receiver.py"
    program.write_text(snippet_of(PAGE, "# receiver.py"), encoding="utf-8")
    log = folder / "receiver.log"
    lines: Queue[str] = Queue()
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, str(program), str(port)],
            env={"WEBHOOK_SECRETS": ",".join(secrets)},
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    assert process.stdout is not None
    reading = Thread(target=_read, args=(process.stdout, lines))
    reading.start()
    try:
        wait_until(lambda: answers(port), process=process, log=log)
        yield lines
    finally:
        process.terminate()
        process.wait(PATIENCE)
        reading.join(PATIENCE)
        process.stdout.close()
    assert log.read_text() == ""


def test_the_pages_receiver_gets_each_change(org: Org, tmp_path: Path) -> None:
    """It prints each change once, with both secrets in turn, and believes nobody else."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/hook"
    webhook = org.post("/api/v1/webhooks", json={"url": url}).json()
    path = f"/api/v1/webhooks/{webhook['id']}"
    new = org.post(f"{path}/rotate-secret", json={"overlap_seconds": 60}).json()["secret"]
    with running(tmp_path, port, webhook["secret"]) as lines:
        org.post("/api/v1/sections", json={"name": "Production"})
        assert lines.get(timeout=PATIENCE).endswith("folder.created Production")
        forged = requests.post(
            url,
            json={"id": "evt_1", "sequence": 1, "event": "x", "data": {"label": "x"}},
            headers={"X-Webhook-Signature": "t=1,v1=00"},
            timeout=PATIENCE,
        )
        assert forged.status_code == 401
    with running(tmp_path, port, new) as lines:
        org.post("/api/v1/subnets", json={"network": "10.0.1.0/24"})
        printed = lines.get(timeout=PATIENCE)
        while not printed.endswith("subnet.created 10.0.1.0/24"):
            printed = lines.get(timeout=PATIENCE)


def test_the_pages_library_verifies(org: Org) -> None:
    """The secret is handed to the library of Standard Webhooks as it is."""
    with WebhookReceiver() as receiver:
        webhook = org.post("/api/v1/webhooks", json={"url": receiver.url}).json()
        org.post("/api/v1/sections", json={"name": "Production"})
        (delivered,) = receiver.wait_for(1)
    snippet = snippet_of(PAGE, "from standardwebhooks import Webhook")
    names = {"body": delivered.body, "headers": delivered.headers}
    exec(snippet.replace("whsec_...", webhook["secret"]), names)
    event = names["event"]
    assert isinstance(event, dict)
    assert event["data"]["label"] == "Production"
