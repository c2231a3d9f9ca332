"""`ipcraft serve` in an empty folder gives a server that answers."""

from __future__ import annotations

import re
import shlex
import signal
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier, Thread

import psutil
import pytest
import requests
from click.testing import Result

from ipcraft.testing.applications import SECRET_KEY
from ipcraft.testing.services import PostgreSQL

Run = Callable[..., Result]
Start = Callable[..., "subprocess.Popen[str]"]

_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Greeting:
    """Be what a server printed at its start."""

    url: str
    text: str

    @property
    def key(self) -> str:
        """Give the API key it shows."""
        return self.text.partition("shown only now: ")[2].split()[0]


@pytest.fixture
def serve(start: Start) -> Callable[..., tuple[subprocess.Popen[str], Greeting]]:
    """Give a way to start a server on a free port and read its greeting."""

    def serve(
        *options: str, lines: int = 6, before: tuple[str, ...] = ()
    ) -> tuple[subprocess.Popen[str], Greeting]:
        process = start(*before, "serve", "--port", "0", "--workers", "1", *options)
        assert process.stdout is not None
        text = "".join(process.stdout.readline() for _ in range(lines))
        found = re.match("IPCraft serves (http://[0-9.:]+)\n", text)
        assert found, text
        return process, Greeting(found[1], text)

    return serve


Serve = Callable[..., "tuple[subprocess.Popen[str], Greeting]"]


def test_an_empty_folder_is_enough(serve: Serve, tmp_path: Path) -> None:
    """The first start makes the database, an organization without limits and a key."""
    _, greeting = serve()
    assert (tmp_path / "ipcraft.db").is_file()
    headers = {"Authorization": f"Bearer {greeting.key}"}
    me = requests.get(f"{greeting.url}/api/v1/auth/me", headers=headers, timeout=_PATIENCE).json()
    assert me["organization"]["name"] == "Local"
    assert me["organization"]["plan"] == "enterprise"
    assert me["role"] == "owner"


def test_the_curl_line_works_as_it_is_printed(serve: Serve) -> None:
    """A newcomer pastes it and gets an answer."""
    _, greeting = serve()
    (line,) = (each for each in greeting.text.splitlines() if "curl" in each)
    command = shlex.split(line)
    assert command[0] == "curl"
    header, url = command[2:]
    answer = requests.get(url, headers=dict([header.split(": ")]), timeout=_PATIENCE)
    assert answer.status_code == 200


def test_the_key_is_shown_only_once(serve: Serve) -> None:
    """A later start serves what is there and tells how to make another key."""
    first, greeting = serve()
    first.terminate()
    assert first.wait(_PATIENCE) == 0
    _, later = serve(lines=2)
    assert later.text.splitlines()[1] == (
        "Make an API key: ipcraft key create --org Local --name NAME"
    )
    headers = {"Authorization": f"Bearer {greeting.key}"}
    answer = requests.get(f"{later.url}/api/v1/auth/me", headers=headers, timeout=_PATIENCE)
    assert answer.status_code == 200


def test_an_organization_of_ones_own_is_left_alone(run: Run, serve: Serve) -> None:
    """Who made an organization first gets no second one."""
    assert run("org", "create", "My Org", "--owner", "me@example.com").exit_code == 0
    _, greeting = serve(lines=2)
    assert greeting.text.splitlines()[1] == (
        "Make an API key: ipcraft key create --org 'My Org' --name NAME"
    )
    assert len(run("org", "list").output.splitlines()) == 1


def test_a_servers_database_is_not_furnished(
    run: Run, serve: Serve, postgresql: PostgreSQL, tmp_path: Path
) -> None:
    """On PostgreSQL the operator makes the first organization, and says where links lead."""
    (tmp_path / "ipcraft.toml").write_text(f'secret_key = "{SECRET_KEY}"\n')
    url = postgresql.create_database()
    database = ("--database", url)
    assert run(*database, "db", "upgrade").exit_code == 0
    process, greeting = serve(lines=3, before=database)
    assert f"Links lead to {greeting.url}: set IPCRAFT_PUBLIC_URL" in greeting.text
    assert "ipcraft org create NAME --owner EMAIL" in greeting.text
    assert requests.get(f"{greeting.url}/readyz", timeout=_PATIENCE).ok
    process.terminate()
    assert process.wait(_PATIENCE) == 0
    postgresql.drop_database(url)


def test_a_taken_port_is_a_message(run: Run, tmp_path: Path) -> None:
    """Nothing is made when the port belongs to somebody else."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = run("serve", "--port", str(port))
    assert result.exit_code == 1
    assert result.stderr == (
        f"Error: cannot listen on 127.0.0.1 port {port}: Address already in use\n"
    )
    assert not (tmp_path / "ipcraft.db").exists()


def test_an_unknown_host_is_a_message(run: Run) -> None:
    """A name that is no address of this machine is named."""
    result = run("serve", "--host", "192.0.2.1", "--port", "0")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: cannot listen on 192.0.2.1 port 0: ")


def test_a_killed_worker_is_replaced(serve: Serve) -> None:
    """After a kill -9 of the only worker, the next request is answered by another."""
    process, greeting = serve()
    requests.get(f"{greeting.url}/healthz", timeout=_PATIENCE)
    (worker,) = psutil.Process(process.pid).children()
    worker.send_signal(signal.SIGKILL)
    psutil.wait_procs([worker], timeout=_PATIENCE)
    assert requests.get(f"{greeting.url}/healthz", timeout=_PATIENCE).ok
    (other,) = psutil.Process(process.pid).children()
    assert other.pid != worker.pid


def test_requests_are_finished_at_the_end(serve: Serve) -> None:
    """SIGTERM lets running requests end with their answers, and the program with status 0."""
    process, greeting = serve("--threads", "4")
    headers = {"Authorization": f"Bearer {greeting.key}"}
    items = [{"network": f"10.{number >> 8}.{number & 255}.0/24"} for number in range(4000)]
    together = Barrier(2)
    answers: list[requests.Response] = []

    def create() -> None:
        with requests.Session() as session:
            session.get(f"{greeting.url}/healthz", timeout=_PATIENCE)
            together.wait()
            answer = session.post(
                f"{greeting.url}/api/v1/subnets", json=items, headers=headers, timeout=_PATIENCE
            )
            answers.append(answer)

    client = Thread(target=create)
    client.start()
    together.wait()
    # The request is on its way once its connection has sent more than the first one.
    worker = psutil.Process(process.pid).children()[0]
    before = worker.cpu_times().user
    while worker.cpu_times().user < before + 0.05:
        assert client.is_alive()
    process.terminate()
    client.join(_PATIENCE)
    assert process.wait(_PATIENCE) == 0
    assert [answer.status_code for answer in answers] == [201]


def test_logs_go_to_standard_error(serve: Serve, tmp_path: Path) -> None:
    """Standard output has the greeting and nothing else."""
    process, greeting = serve()
    requests.get(f"{greeting.url}/healthz", timeout=_PATIENCE)
    process.terminate()
    process.wait(_PATIENCE)
    assert process.stdout is not None
    assert process.stdout.read() == ""
    assert "path=/healthz" in (tmp_path / "log").read_text()
