"""PostgreSQL goes away and comes back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
import requests
from psycopg import sql
from sqlalchemy import make_url

from ipcraft.testing.applications import make_application
from ipcraft.testing.services import FaultProxy, PostgreSQL
from ipcraft.testing.serving import Served

from .inventory import add_subnet, check
from .load import Load

RECOVERY = 5.0
"""Seconds after its return until we write again."""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQL]:
    """Give a server of our own, which may be stopped."""
    with PostgreSQL.start() as server:
        yield server


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_restarted_server_is_found_again(server: PostgreSQL, tmp_path: Path, how: str) -> None:
    """While it is away writes get 503, and soon after its return they succeed again."""
    with Served(new_database(server), tmp_path, workers=2) as served:
        org = served.organization()
        subnet_id = add_subnet(org)
        with Load(served, org.key, subnet_id) as load:
            load.wait_for_success(times=20)
            getattr(server, how)()
            load.wait_for_refusal(503)
            assert not requests.get(f"{served.url}/readyz", timeout=10).ok
            assert requests.get(f"{served.url}/healthz", timeout=10).ok
            server.resume()
            assert load.wait_for_success() < RECOVERY
            load.wait_for_success(times=20)
        assert load.refusals.keys() == {503}
        assert all(error["error"] and error["code"] for error in load.errors)
        assert served.is_up()
        check(served, org, subnet_id, acknowledged=load.acknowledged)


def test_a_restart_between_requests_is_not_noticed(server: PostgreSQL, tmp_path: Path) -> None:
    """Connections that were cut while nobody used them fail no request."""
    with Served(new_database(server), tmp_path, workers=1, threads=1) as served:
        org = served.organization()
        subnet_id = add_subnet(org)
        server.restart()
        statuses = [
            org.post(f"/api/v1/subnets/{subnet_id}/first-free").status_code for _ in range(3)
        ]
        assert statuses == [201, 201, 201]


def test_a_server_that_only_reads_is_unavailable(server: PostgreSQL, tmp_path: Path) -> None:
    """A standby, or a server whose disk is full, answers reads; writes get 503 with the reason."""
    url = new_database(server)
    with Served(url, tmp_path, workers=1) as served:
        org = served.organization()
        subnet_id = add_subnet(org)
        set_read_only(server, url, "on")
        answer = org.post(f"/api/v1/subnets/{subnet_id}/first-free")
        assert answer.status_code == 503
        assert "read-only" in answer.json()["error"]
        assert org.get(f"/api/v1/subnets/{subnet_id}").status_code == 200
        set_read_only(server, url, "off")
        assert org.post(f"/api/v1/subnets/{subnet_id}/first-free").status_code == 201


def test_a_server_out_of_reach_is_unavailable(server: PostgreSQL, tmp_path: Path) -> None:
    """While no connection gets through requests are answered with 503, and well again soon."""
    url = new_database(server)
    with (
        FaultProxy(server.host, server.port) as proxy,
        Served(proxy.url(url), tmp_path, workers=1) as served,
    ):
        org = served.organization()
        subnet_id = add_subnet(org)
        path = f"/api/v1/subnets/{subnet_id}/first-free"
        proxy.down()
        assert org.post(path).status_code == 503
        proxy.heal()
        started = time.monotonic()
        while org.post(path).status_code != 201:
            assert time.monotonic() - started < RECOVERY
        proxy.reset()
        assert org.post(path).status_code == 201


def new_database(server: PostgreSQL) -> str:
    """Give the URL of a database that is up to date."""
    url = server.create_database()
    make_application(url).storage.close()
    return url


def set_read_only(server: PostgreSQL, url: str, value: LiteralString) -> None:
    """Let a database refuse writes from now on, also on connections that are open."""
    database = make_url(url).database
    address = server.url.replace("+psycopg", "")
    with psycopg.connect(address, autocommit=True) as link:
        setting = sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = {}")
        link.execute(setting.format(sql.Identifier(database or ""), sql.SQL(value)))
        link.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database]
        )
