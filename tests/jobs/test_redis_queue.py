"""Jobs in Redis, run by `ipcraft worker`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

import pytest
import redis

from ipcraft.plugin import Application
from ipcraft.testing.applications import SECRET_KEY
from ipcraft.testing.services import Redis
from ipcraft_redis.job_queue import RedisQueue

Make = Callable[..., Application]
Lines = Callable[[], list[str]]
Work = Callable[..., AbstractContextManager["subprocess.Popen[bytes]"]]
PATIENCE = 60.0
LEASE = 2.0


@pytest.fixture
def app(make: Make, own_redis: Redis) -> Application:
    """Give an application that queues in Redis."""
    return make(sections={"redis": {"url": own_redis.url}}, settings={"lease": LEASE})


@pytest.fixture
def work(embedded: str, own_redis: Redis, plugin: Path, tmp_path: Path) -> Work:
    """Give a way to run `ipcraft worker` as a process."""

    @contextmanager
    def work(*options: str) -> Iterator[subprocess.Popen[bytes]]:
        environ = {
            **os.environ,
            "PYTHONPATH": str(plugin),
            "IPCRAFT_DATABASE_URL": embedded,
            "IPCRAFT_SECRET_KEY": SECRET_KEY,
            "IPCRAFT_REDIS_URL": own_redis.url,
            "IPCRAFT_PLUGINS_ENABLE": "chores",
            "IPCRAFT_LEASE": str(LEASE),
        }
        command = [sys.executable, "-m", "ipcraft", "worker", *options]
        with (tmp_path / "worker.log").open("ab") as log:
            process = subprocess.Popen(command, env=environ, cwd=tmp_path, stdout=log, stderr=log)
        yield process
        if "--burst" not in options:
            process.terminate()
        assert process.wait(PATIENCE) == 0, (tmp_path / "worker.log").read_text()

    return work


def test_a_worker_runs_what_was_queued(
    app: Application, work: Work, lines: Lines, tmp_path: Path
) -> None:
    """Every job is run, addressed by its name; nothing executable lies in Redis."""
    for number in range(20):
        app.enqueue("chores.note", {"file": str(tmp_path / "lines"), "text": str(number)})
    with work("--burst"):
        pass
    assert sorted(lines(), key=int) == [str(number) for number in range(20)]
    assert (tmp_path / "worker.log").read_text() == ""


def test_redis_holds_names_alone(app: Application, own_redis: Redis) -> None:
    """An order's id, a registered name and a lease: no payload, no function's path, no pickle."""
    order = app.enqueue("chores.note", {"file": "a secret place"})
    app.orders.run()
    with redis.Redis.from_url(own_redis.url) as client:
        (key,) = client.keys("rq:job:*")
        assert isinstance(key, bytes)
        stored = client.hgetall(key)
    assert stored[b"description"] == b"chores.note"
    data = stored[b"data"]
    assert isinstance(data, bytes)
    lease = key.decode().rpartition("-")[2]
    assert zlib.decompress(data).decode() == f'["chores.note", null, ["{order}", "{lease}"], {{}}]'


def test_what_nobody_ordered_is_not_run(app: Application, work: Work, tmp_path: Path) -> None:
    """Who can write into Redis cannot make a worker import and call what they like."""
    assert isinstance(app.job_queue, RedisQueue)
    touch = f"touch {tmp_path}/owned"
    app.job_queue.queue.enqueue_call("os.system", args=[touch])
    app.job_queue.queue.enqueue_call("os.system", args=[touch, touch])
    app.job_queue.queue.enqueue_call("chores.note", args=["job_1", "lease"])
    with work("--burst"):
        pass
    assert not (tmp_path / "owned").exists()


def test_a_failure_is_tried_again(
    app: Application, work: Work, lines: Lines, tmp_path: Path
) -> None:
    """The job runs until it succeeds."""
    app.enqueue("chores.note", {"file": str(tmp_path / "lines"), "enough": 3})
    with work():
        wait_for(lambda: len(lines()) == 3)
    assert len(lines()) == 3


def test_what_is_hopeless_is_tried_once(
    app: Application, work: Work, lines: Lines, tmp_path: Path
) -> None:
    """The reason is kept with the failed job."""
    app.enqueue("chores.note", {"file": str(tmp_path / "lines"), "hopeless": True})
    with work("--burst"):
        pass
    assert len(lines()) == 1
    # A schedule of a plugin's may have come due meanwhile.
    accounts = app.orders.accounts(finished=False, limit=10)
    told = [(each.state, each.reason) for each in accounts if each.job == "chores.note"]
    assert told == [("failed", "there is no way")]


def test_a_delayed_job_comes_in_its_time(
    app: Application, work: Work, lines: Lines, tmp_path: Path
) -> None:
    """The worker takes it up when it is due."""
    app.enqueue("chores.note", {"file": str(tmp_path / "lines"), "text": "late"}, delay=0.5)
    app.enqueue("chores.note", {"file": str(tmp_path / "lines"), "text": "early"})
    with work():
        wait_for(lambda: lines() == ["early", "late"])


def test_a_worker_outlives_its_redis(
    app: Application, own_redis: Redis, work: Work, lines: Lines, tmp_path: Path
) -> None:
    """After Redis was killed and came back empty, the same worker runs what is queued then."""
    with work() as process:
        app.enqueue("chores.note", {"file": str(tmp_path / "lines"), "text": "before"})
        wait_for(lambda: lines() == ["before"])
        own_redis.kill()
        own_redis.resume()
        app.enqueue("chores.note", {"file": str(tmp_path / "lines"), "text": "after"})
        wait_for(lambda: lines() == ["before", "after"])
        assert process.poll() is None


def test_a_running_job_is_finished_at_the_end(
    app: Application, work: Work, lines: Lines, tmp_path: Path
) -> None:
    """SIGTERM and SIGINT end the worker in order."""
    with work() as process:
        app.enqueue("chores.note", {"file": str(tmp_path / "lines")})
        wait_for(lambda: len(lines()) == 1)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0


def test_without_redis_jobs_wait_in_the_database(
    app: Application, own_redis: Redis, work: Work, lines: Lines, tmp_path: Path
) -> None:
    """Who orders a job notices nothing; it is done when Redis is back."""
    own_redis.kill()
    app.enqueue("chores.note", {"file": str(tmp_path / "lines")})
    with work():
        own_redis.resume()
        wait_for(lambda: len(lines()) == 1)


def test_a_flushed_redis_loses_no_job(
    app: Application, own_redis: Redis, work: Work, lines: Lines, tmp_path: Path
) -> None:
    """What lay in Redis is taken again when its lease has ended, and is done once."""
    for number in range(5):
        app.enqueue("chores.note", {"file": str(tmp_path / "lines"), "text": str(number)})
    app.orders.run()
    with redis.Redis.from_url(own_redis.url) as client:
        assert len(client.keys("rq:job:*")) == 5
        client.flushall()
    with work():
        wait_for(lambda: len(lines()) == 5)
    assert sorted(lines()) == ["0", "1", "2", "3", "4"]


def test_a_killed_workers_job_is_done_by_another(
    app: Application, work: Work, lines: Lines, tmp_path: Path
) -> None:
    """It had begun, and nobody noted its end: it runs again when its lease has ended."""
    file, gate = tmp_path / "lines", tmp_path / "gate"
    app.enqueue("chores.wait", {"file": str(file), "gate": str(gate)})
    with work() as killed:
        wait_for(lambda: len(lines()) == 1)
        killed.kill()
        killed.wait(PATIENCE)
        gate.touch()
        with work():
            wait_for(lambda: lines() == ["begun", "begun", "done"])
            wait_for(lambda: not app.orders.accounts(finished=False, limit=10))
        killed.returncode = 0


def test_a_worker_is_woken(app: Application, work: Work, lines: Lines, tmp_path: Path) -> None:
    """It does not find the work at its next look only: it is told of it."""
    with work():
        app.enqueue("chores.note", {"file": str(tmp_path / "lines")})
        wait_for(lambda: len(lines()) == 1)
        waits = []
        for number in range(2, 12):
            began = time.monotonic()
            app.enqueue("chores.note", {"file": str(tmp_path / "lines")})
            wait_for(partial(has_lines, lines, number))
            waits.append(time.monotonic() - began)
    assert sorted(waits)[5] < 0.5


def test_waiting_jobs_without_a_worker_are_told(app: Application, own_redis: Redis) -> None:
    """The health check says that jobs wait in vain, and that Redis is gone."""
    assert isinstance(app.job_queue, RedisQueue)
    assert app.job_queue.check() is None
    app.enqueue("chores.note")
    assert app.job_queue.check() == "1 jobs wait and no `ipcraft worker` is running"
    own_redis.kill()
    assert "Redis cannot be used" in (app.job_queue.check() or "")
    own_redis.resume()


def test_a_worker_needs_redis(tmp_path: Path, embedded: str) -> None:
    """Without a URL there is nothing for it to do, and it says what to set."""
    environ = {**os.environ, "IPCRAFT_DATABASE_URL": embedded}
    environ["IPCRAFT_SECRET_KEY"] = SECRET_KEY
    ended = subprocess.run(
        [sys.executable, "-m", "ipcraft", "worker"],
        env=environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert ended.returncode == 1
    assert "set IPCRAFT_REDIS_URL" in ended.stderr


def has_lines(lines: Lines, number: int) -> bool:
    """Tell whether there are so many."""
    return len(lines()) == number


def wait_for(condition: Callable[[], bool]) -> None:
    """Look again and again until it is so."""
    deadline = time.monotonic() + PATIENCE
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline
        pause.wait(0.02)
