"""The disk of a SQLite database is full, or may not be written."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from ipcraft.app import create_application
from ipcraft.config import load_settings
from ipcraft.testing.applications import make_application
from ipcraft.testing.clients import Client
from ipcraft.testing.organizations import make_organization
from ipcraft.testing.services.processes import Account, temporary_folder
from ipcraft.testing.serving import Served

from .inventory import add_subnet, check
from .load import Load


def test_a_full_disk_refuses_writes_and_keeps_the_rest(tmp_path: Path) -> None:
    """Writes get 503 with the reason, reads go on; with space again so do writes."""
    database = tmp_path / "ipcraft.db"
    with Served(f"sqlite:///{database}", tmp_path, workers=2) as served:
        org = served.organization()
        subnet_id = add_subnet(org)
        with Load(served, org.key, subnet_id) as load:
            load.wait_for_success(times=20)
            limit_files(served, database.with_name("ipcraft.db-wal").stat().st_size + 4096)
            load.wait_for_refusal(503)
            assert org.get(f"/api/v1/subnets/{subnet_id}").status_code == 200
            limit_files(served, resource.RLIM_INFINITY)
            load.wait_for_success(times=20)
        assert load.refusals.keys() == {503}
        assert all("the database cannot be used" in error["error"] for error in load.errors)
        check(served, org, subnet_id, acknowledged=load.acknowledged)


def test_a_file_that_may_not_be_written_is_unavailable() -> None:
    """Writes get 503 with the reason."""
    account = Account.unprivileged()
    folder = temporary_folder("database", account=account)
    try:
        url = f"sqlite:///{folder / 'ipcraft.db'}"
        made = make_application(url)
        key = make_organization(made).key
        assert Client(made, key).post("/api/v1/sections", json={"name": "a"}).status_code == 201
        made.storage.close()
        (folder / "ipcraft.db").chmod(0o444)
        app = create_application(
            load_settings(path=Path("/dev/null"), environ={}, overrides={"database_url": url})
        )
        with acting_as(account):
            answer = Client(app, key).post("/api/v1/sections", json={"name": "b"})
        app.storage.close()
        assert answer.status_code == 503
        assert "readonly" in answer.json["error"]
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("content", [b"no database at all" * 1000, b""])
def test_a_file_that_is_no_database_is_not_ready(tmp_path: Path, content: bytes) -> None:
    """A damaged file and an empty one are not served, and `/readyz` says why."""
    database = tmp_path / "ipcraft.db"
    database.write_bytes(content)
    app = create_application(
        load_settings(
            path=Path("/dev/null"),
            environ={},
            overrides={"database_url": f"sqlite:///{database}"},
        )
    )
    answer = Client(app).get("/readyz")
    app.storage.close()
    assert answer.status_code == 503
    assert answer.json["error"]


def limit_files(served: Served, size: int) -> None:
    """Let no process of a server write a file beyond a size, as on a disk that is full."""
    for worker in psutil.Process(served.process.pid).children():
        _, hard = resource.prlimit(worker.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (size, hard))


@contextmanager
def acting_as(account: Account | None) -> Iterator[None]:
    """Open files as another account does; root may write everything."""
    if account is None:
        yield
        return
    os.seteuid(account.uid)
    try:
        yield
    finally:
        os.seteuid(0)
