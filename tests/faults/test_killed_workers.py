"""Workers are killed in the middle of writes."""

from __future__ import annotations

import signal
from pathlib import Path

import psutil

from ipcraft.testing.serving import Served
from ipcraft_ipam.address_lists import rows
from ipcraft_ipam.addresses import address
from ipcraft_ipam.networks import format_address
from ipcraft_ipam.verification import verify

from .inventory import add_subnet, check
from .load import Load

KILLS = 4


def test_a_killed_worker_loses_no_acknowledged_write(database_url: str, tmp_path: Path) -> None:
    """What was acknowledged is stored, whenever the worker dies; another one takes its place."""
    with Served(database_url, tmp_path, workers=2, threads=4) as server:
        org = server.organization()
        subnet_id = add_subnet(org)
        with Load(server, org.key, subnet_id) as load:
            for _ in range(KILLS):
                load.wait_for_success(times=7)
                kill_one(server)
            load.wait_for_success(times=20)
        assert load.refusals.keys() <= {503}
        check(server, org, subnet_id, acknowledged=load.acknowledged)


def test_an_ordered_end_keeps_what_was_acknowledged(database_url: str, tmp_path: Path) -> None:
    """A server that is told to stop ends, and has stored all that it acknowledged."""
    with Served(database_url, tmp_path, workers=2, threads=4) as server:
        org = server.organization()
        subnet_id = add_subnet(org)
        with Load(server, org.key, subnet_id) as load:
            load.wait_for_success(times=20)
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(30) == 0
        assert not load.refusals
        with server.application.storage.read(org.id) as tx:
            stored = [format_address(address(*row).ip) for row in rows(tx, {}, limit=10_000)]
            assert list(verify(tx)) == []
    assert set(load.acknowledged) <= set(stored)


def kill_one(server: Served) -> None:
    """Kill a worker that is alive; the last one killed may be among them until it is buried."""
    for worker in workers(server):
        try:
            if worker.status() != psutil.STATUS_ZOMBIE:
                worker.send_signal(signal.SIGKILL)
                return
        except psutil.NoSuchProcess:
            continue
    raise AssertionError("no worker is alive")


def workers(server: Served) -> list[psutil.Process]:
    """Give the worker processes of a server."""
    return psutil.Process(server.process.pid).children()
