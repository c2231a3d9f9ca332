"""One page has the numbers of all processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import requests

from ipcraft.testing import Databases
from ipcraft.testing.serving import Served

from .figures import figure

COUNT = "ipcraft_http_request_duration_seconds_count"
READY = {"method": "GET", "route": "/healthz", "status": "200"}


def folder_of(served: Served) -> Path:
    """Give the folder that a server has made for its workers."""
    paths = (Path(file.path) for file in psutil.Process(served.process.pid).open_files())
    [folder] = {path.parent for path in paths if path.parent.name.startswith("ipcraft-metrics-")}
    return folder


def page(served: Served) -> str:
    """Ask for the page."""
    answer = requests.get(f"{served.url}/metrics", timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_whichever_worker_is_asked_tells_of_all(databases: Databases, tmp_path: Path) -> None:
    """The requests of three workers add up, and so do their connections."""
    url = databases.create()
    with Served(url, tmp_path, workers=3, threads=2) as served:
        for _ in range(60):
            assert requests.get(f"{served.url}/healthz", timeout=30).ok
        assert {figure(page(served), COUNT, **READY) for _ in range(6)} == {60}
        most = figure(page(served), "ipcraft_database_connections_most")
        assert most == (None if url.startswith("sqlite") else 3 * 16)


def test_a_folder_is_shared_by_servers_and_workers(databases: Databases, tmp_path: Path) -> None:
    """What another process of the machine counts there is on the server's page."""
    folder = tmp_path / "metrics"
    environ = {"IPCRAFT_METRICS_FOLDER": str(folder)}
    with Served(databases.create(), tmp_path, workers=1, environ=environ) as served:
        program = (
            "from ipcraft.app import create_application\n"
            "from ipcraft.config import load_settings\n"
            "app = create_application(load_settings())\n"
            "app.measure()\n"
            "app.metrics.counter('elsewhere', 'Elsewhere.').add(amount=7)\n"
            "app.close()\n"
        )
        variables = {"IPCRAFT_DATABASE_URL": served.database_url, **environ}
        variables["IPCRAFT_SECRET_KEY"] = "x" * 40
        subprocess.run([sys.executable, "-c", program], env={**os.environ, **variables}, check=True)
        assert figure(page(served), "ipcraft_elsewhere_total") == 7


def test_a_killed_servers_folder_is_removed_by_the_next(
    databases: Databases, tmp_path: Path
) -> None:
    """A folder goes when nobody is left who writes into it, and not before."""
    url = databases.create()
    with Served(url, tmp_path, workers=1) as living:
        mine = folder_of(living)
        with Served(url, tmp_path, workers=1) as killed:
            left = folder_of(killed)
            master = psutil.Process(killed.process.pid)
            everybody = [*master.children(), master]
            for process in everybody:
                process.kill()
            killed.process.wait()
            psutil.wait_procs(everybody)
        with Served(url, tmp_path, workers=1) as third:
            assert not left.exists()  # whoever of this machine's servers began first
            assert mine.is_dir()
            assert folder_of(third) != mine
    assert not mine.exists()


@pytest.mark.parametrize("value", ["false", "no"])
def test_an_operator_switches_it_off(databases: Databases, tmp_path: Path, value: str) -> None:
    """The variable is enough."""
    environ = {"IPCRAFT_METRICS": value}
    with Served(databases.create(), tmp_path, workers=1, environ=environ) as served:
        assert requests.get(f"{served.url}/metrics", timeout=30).status_code == 404
