"""Events come through whatever dies on their way: none is lost, none is made up."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path

import psutil
import pytest
import redis

from ipcraft.testing.applications import SECRET_KEY, make_application
from ipcraft.testing.services import PostgreSQL, Redis
from ipcraft.testing.serving import Org, Served

from .inventory import add_subnet, assigned
from .ledger import Crew, Ledger
from .load import Load

FAULTS = int(os.environ.get("IPCRAFT_TEST_FAULTS", "10"))
"""How many faults there are; the full run has 200."""
CHANGES = int(os.environ.get("IPCRAFT_TEST_CHANGES", "300"))
"""How many changes there are at least; the full run has 100,000."""
PATIENCE = 120.0


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Give a file that every event is written into."""
    return Ledger(tmp_path)


def test_nothing_is_lost_whatever_dies(ledger: Ledger, tmp_path: Path) -> None:
    """Servers and workers are killed, Redis is stopped and flushed, PostgreSQL restarts."""
    with PostgreSQL.start() as server, Redis() as queue:
        url = server.create_database()
        make_application(url).storage.close()
        environ = {
            **ledger.environ,
            "IPCRAFT_DATABASE_URL": url,
            "IPCRAFT_REDIS_URL": queue.url,
            "IPCRAFT_SECRET_KEY": SECRET_KEY,
        }
        with (
            Served(url, tmp_path, workers=2, environ=environ) as served,
            Crew(2, folder=tmp_path, environ=environ) as crew,
        ):
            org = served.organization()
            subnet_id = add_subnet(org)
            faults: list[Callable[[], None]] = [
                crew.kill,
                lambda: kill_worker(served),
                lambda: restart(queue),
                lambda: flush(queue),
                server.restart,
            ]
            with Load(served, org.key, subnet_id) as load:
                for fault in islice(cycle(faults), FAULTS):
                    load.wait_for_success(times=max(CHANGES // FAULTS, 1))
                    fault()
                load.wait_for_success(times=20)
            check(ledger, org, assigned(org, subnet_id), acknowledged=load.acknowledged)


def test_killed_servers_leave_their_events_to_the_next(
    database_url: str, ledger: Ledger, tmp_path: Path
) -> None:
    """With one `ipcraft serve` alone, all of it killed and started again."""
    acknowledged: list[str] = []
    org = subnet_id = None
    for _ in range(3):
        with killed_in_the_end(database_url, ledger, tmp_path) as served:
            if org is None:
                org = served.organization()
                subnet_id = add_subnet(org)
            with Load(served, org.key, str(subnet_id)) as load:
                load.wait_for_success(times=50)
                signal_all(served, signal.SIGKILL)
            acknowledged += load.acknowledged
    assert org is not None
    with Served(database_url, tmp_path, environ=ledger.environ) as served:
        fresh = Org(served.url, org.session, org)
        check(ledger, fresh, assigned(fresh, str(subnet_id)), acknowledged=acknowledged)


def check(ledger: Ledger, org: Org, stored: list[str], *, acknowledged: list[str]) -> None:
    """Wait until everything came, and count it."""
    assert set(acknowledged) <= set(stored)
    deadline = time.monotonic() + PATIENCE
    pause = threading.Event()
    while len(created(ledger, org)) < len(stored):
        assert time.monotonic() < deadline, (len(created(ledger, org)), len(stored))
        pause.wait(0.1 + len(stored) / 20_000)
    assert sorted(created(ledger, org)) == sorted(stored)
    entries = ledger.entries(org.id)
    assert sorted(entries) == list(range(1, len(entries) + 1))
    # A sequence that came more than once came with the same event each time.
    assert {sequence: len(of) for sequence, of in entries.items()} == dict.fromkeys(entries, 1)
    wanted = {each["sequence"]: each["id"] for each in all_events(org)}
    assert {sequence: next(iter(of))[0] for sequence, of in entries.items()} == wanted
    again = ledger.lines - len(entries)
    sys.stdout.write(f"{len(stored)} changes, all of them told; {again} events told again\n")


def created(ledger: Ledger, org: Org) -> list[str]:
    """Give the addresses whose creation was written down, each once."""
    events = [next(iter(each)) for each in ledger.entries(org.id).values()]
    return [label for _, kind, label in events if kind == "address.created"]


def all_events(org: Org) -> list[dict[str, object]]:
    """Give every event of the organization."""
    found: list[dict[str, object]] = []
    while True:
        after = found[-1]["sequence"] if found else 0
        answer = org.get("/api/v1/events", params={"after": after, "limit": 1000})
        assert answer.status_code == 200, answer.text
        if not answer.json():
            return found
        found += answer.json()


@contextmanager
def killed_in_the_end(database_url: str, ledger: Ledger, folder: Path) -> Iterator[Served]:
    """Serve until somebody kills the processes."""
    served = Served(database_url, folder, environ=ledger.environ)
    try:
        yield served
    finally:
        signal_all(served, signal.SIGKILL)
        served.close()


def signal_all(served: Served, how: signal.Signals) -> None:
    """Signal every process of a server."""
    if not psutil.pid_exists(served.process.pid) or served.process.poll() is not None:
        return
    parent = psutil.Process(served.process.pid)
    for process in (parent, *parent.children()):
        process.send_signal(how)
    served.process.wait(30)


def kill_worker(served: Served) -> None:
    """Kill one of the processes that answer; another one takes its place."""
    psutil.Process(served.process.pid).children()[0].kill()


def restart(queue: Redis) -> None:
    """Stop Redis, and start it empty."""
    queue.kill()
    queue.resume()


def flush(queue: Redis) -> None:
    """Empty Redis."""
    with redis.Redis.from_url(queue.url) as client:
        client.flushall()
