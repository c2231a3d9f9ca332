"""Drains: work that waits, and a thread that looks after it."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from ipcraft.errors import StartError
from ipcraft.jobs.drains import LEAST_PAUSE, Drains
from ipcraft.logs import configure_logs
from ipcraft.plugin import Application, Drain, Unavailable
from ipcraft.testing import make_application
from ipcraft.testing.distributions import write_distribution


class Work:
    """Be a drain that counts its runs."""

    def __init__(self, *, pause: float = 60.0, every: float = 60.0) -> None:
        self.runs = threading.Semaphore(0)
        self.error: Exception | None = None
        self.pause = pause
        self.closed = 0
        self.drain = Drain("work", self.run, every=every, close=self.close)

    def run(self) -> float:
        """Count, and fail if a test says so."""
        self.runs.release()
        if self.error is not None:
            raise self.error
        return self.pause

    def close(self) -> None:
        """Count the ends."""
        self.closed += 1

    def ran(self, *, within: float = 30.0) -> bool:
        """Wait for a run."""
        return self.runs.acquire(timeout=within)


def test_a_drain_runs_when_it_is_woken() -> None:
    """At once at first, then at each wake."""
    work = Work()
    drains = Drains({"work": work.drain})
    drains.begin()
    assert work.ran()
    assert not work.ran(within=0.1)
    drains.wake("work")
    assert work.ran()
    drains.end()


def test_wakes_that_come_together_are_one() -> None:
    """However many there are, there is a pause between two runs."""
    work = Work()
    drains = Drains({"work": work.drain})
    drains.begin()
    assert work.ran()
    began = time.monotonic()
    runs = 0
    while time.monotonic() - began < 10 * LEAST_PAUSE:
        drains.wake("work")
        runs += work.ran(within=0.001)
    drains.end()
    assert 1 <= runs <= 12


def test_a_lost_wake_costs_the_interval() -> None:
    """Nobody calls, and it looks by itself."""
    work = Work(every=0.05)
    drains = Drains({"work": work.drain})
    drains.begin()
    assert all(work.ran() for _ in range(3))
    drains.end()


def test_a_drain_that_has_more_runs_at_once() -> None:
    """It gives 0 as long as there is work."""
    work = Work(pause=0.0)
    drains = Drains({"work": work.drain})
    drains.begin()
    assert all(work.ran() for _ in range(100))
    drains.end()


@pytest.mark.parametrize("error", [Unavailable("no database"), RuntimeError("a mistake")])
def test_a_failure_is_logged_and_tried_again(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    """The thread goes on, whatever is raised."""
    configure_logs()
    work = Work()
    work.error = error
    drains = Drains({"work": work.drain})
    drains.begin()
    assert work.ran()
    assert work.ran()
    drains.end()
    assert str(error) in capsys.readouterr().err


def test_the_end_waits_for_the_run() -> None:
    """What is under way is finished, then closed; nothing runs afterwards."""
    gate, ended = threading.Event(), threading.Event()
    work = Work()

    def run() -> float:
        work.runs.release()
        gate.wait(30)
        ended.set()
        return 60.0

    drains = Drains({"work": Drain("work", run, close=work.close)})
    drains.begin()
    assert work.ran()
    threading.Timer(0.1, gate.set).start()
    drains.end()
    assert ended.is_set()
    assert work.closed == 1
    drains.begin()
    drains.wake("work")
    assert not work.ran(within=0.1)


def test_some_may_begin_and_end_for_themselves() -> None:
    """A process that serves nothing looks after its own orders alone."""
    first, second = Work(), Work()
    drains = Drains({"first": first.drain, "second": second.drain})
    drains.begin("first")
    drains.wake("first", "second", "unknown")
    assert first.ran()
    assert not second.ran(within=0.1)
    drains.begin()
    assert second.ran()
    drains.end("second")
    assert (first.closed, second.closed) == (0, 1)
    drains.end()
    assert (first.closed, second.closed) == (1, 1)


def test_a_drain_of_a_plugin_runs_with_the_cores(
    embedded: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is woken by `app.wake`, and by a transaction when that is committed."""
    app = application(embedded, tmp_path, monkeypatch, name="sieve")
    app.drains.begin()
    drains = [each.value for each in app.registry.collect("ipcraft_drains", kind=Drain, app=app)]
    seen = next(drain for drain in drains if drain.name.startswith("sieve")).run.__globals__
    runs = seen["RUNS"]
    assert runs.acquire(timeout=30)
    app.wake("sieve")
    assert runs.acquire(timeout=30)
    app.storage.transact_system(lambda tx: tx.wake("sieve"))
    assert runs.acquire(timeout=30)
    app.close()


def test_a_name_of_the_core_is_taken(
    embedded: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The start stops, and names the plugin."""
    with pytest.raises(StartError, match=r"plugin sieve .* gives a drain named jobs"):
        application(embedded, tmp_path, monkeypatch, name="jobs")


def application(
    database_url: str, folder: Path, monkeypatch: pytest.MonkeyPatch, *, name: str
) -> Application:
    """Make an application with a plugin that gives a drain of a name."""
    text = f"""
import threading

from ipcraft.plugin import Drain, hookimpl

API = 1
RUNS = threading.Semaphore(0)


def run():
    RUNS.release()
    return 60.0


@hookimpl
def ipcraft_drains(app):
    return [Drain("{name}", run, every=60.0)]
"""
    write_distribution(
        folder,
        "ipcraft-sieve",
        plugins={"sieve": f"ipcraft_sieve_{name}"},
        files={f"ipcraft_sieve_{name}.py": text},
    )
    monkeypatch.syspath_prepend(folder)
    return make_application(database_url, enable=["sieve"])
