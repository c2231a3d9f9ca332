"""Requests with a key, and with a tag, while answers are cut and workers are killed.

`IPCRAFT_TEST_KEYS` says how many keys, and how many pairs of conditional changes, there are;
1,000 of each take some minutes.
"""

from __future__ import annotations

import json
import os
import random
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import requests

from ipcraft.testing.services import FaultProxy
from ipcraft.testing.serving import Org, Served

from .inventory import add_subnet, check
from .test_killed_workers import kill_one

KEYS = int(os.environ.get("IPCRAFT_TEST_KEYS", "30"))
SENDERS = 10

_PATIENCE = 60.0
_GIVING_UP = 300.0
_PAUSE = 0.02
_LONGEST_ANSWER = 700
_TRANSIENT = (409, 503)


def test_a_key_has_one_effect_and_one_answer(database_url: str, tmp_path: Path) -> None:
    """Ten senders of each key, whose answers are cut and whose workers die, get the same one."""
    with (
        Served(database_url, tmp_path, workers=2, threads=16) as server,
        FaultProxy("127.0.0.1", server.port) as proxy,
    ):
        org = server.organization()
        subnet = add_subnet(org)
        path = f"http://127.0.0.1:{proxy.port}/api/v1/subnets/{subnet}/first-free"
        with trouble(server, proxy), ThreadPoolExecutor(2 * SENDERS) as pool:
            senders = {
                key: [pool.submit(insist, path, org, key) for _ in range(SENDERS)]
                for key in (str(uuid.uuid4()) for _ in range(KEYS))
            }
            given = {key: {each.result() for each in asked} for key, asked in senders.items()}
        assert [answers for answers in given.values() if len(answers) > 1] == []
        addresses = [json.loads(*answers) for answers in given.values()]
        acknowledged = [each["ip"] for each in addresses]
        assert len(set(acknowledged)) == KEYS
        assert org.get(f"/api/v1/subnets/{subnet}/usage").json()["used"] == KEYS
        check(server, org, subnet, acknowledged=acknowledged)


def test_no_conditional_change_is_lost(database_url: str, tmp_path: Path) -> None:
    """Two clients at a time add to what they have read: in the end it holds what both added."""
    with Served(database_url, tmp_path, workers=2, threads=4) as server:
        org = server.organization()
        subnet = add_subnet(org)
        address = org.post(f"/api/v1/subnets/{subnet}/first-free").json()["id"]
        url = f"{server.url}/api/v1/addresses/{address}"
        with ThreadPoolExecutor(2) as pool:
            refused = sum(pool.map(lambda _: add(url, org, KEYS), range(2)))
        assert org.get(f"/api/v1/addresses/{address}").json()["owner"] == str(2 * KEYS)
        assert refused > 0, "the two never met"


def insist(url: str, org: Org, key: str) -> bytes:
    """Send a request with a key until it is answered; give the answer's body."""
    headers = {"Authorization": f"Bearer {org.key}", "Idempotency-Key": key}
    pause = Event()
    deadline = time.monotonic() + _GIVING_UP
    with requests.Session() as session:
        while True:
            assert time.monotonic() < deadline, f"no answer to {key}"
            try:
                answer = session.post(url, headers=headers, json={}, timeout=_PATIENCE)
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
                pause.wait(_PAUSE)
                continue
            # An answer that is cut within its headers looks like one without a body.
            if answer.headers.get("Content-Length") != str(len(answer.content)):
                continue
            if answer.status_code == 201:
                return answer.content
            assert answer.status_code in _TRANSIENT, answer.text
            pause.wait(_PAUSE)


def add(url: str, org: Org, times: int) -> int:
    """Count an address's owner up, each time from what was read; give how often it was refused."""
    headers = {"Authorization": f"Bearer {org.key}"}
    refused = done = 0
    with requests.Session() as session:
        while done < times:
            read = session.get(url, headers=headers, timeout=_PATIENCE)
            owner = str(int(read.json()["owner"] or 0) + 1)
            conditional = {**headers, "If-Match": read.headers["ETag"]}
            answer = session.patch(
                url, headers=conditional, json={"owner": owner}, timeout=_PATIENCE
            )
            assert answer.status_code in (200, 412), answer.text
            done += answer.status_code == 200
            refused += answer.status_code == 412
    return refused


@contextmanager
def trouble(server: Served, proxy: FaultProxy) -> Iterator[None]:
    """Cut answers at any byte, reset connections and kill workers, all the time."""
    over = Event()

    def make() -> None:
        chooser = random.Random(1)
        while not over.is_set():
            proxy.cut(after=chooser.randrange(_LONGEST_ANSWER))
            over.wait(_PAUSE)
            proxy.heal()
            if chooser.random() < 0.3:
                proxy.reset()
            if chooser.random() < 0.1:
                kill_one(server)
            over.wait(2 * _PAUSE)

    thread = Thread(target=make)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        proxy.heal()
