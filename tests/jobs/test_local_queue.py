"""Jobs in the process that queues them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ipcraft.logs import configure_logs
from ipcraft.plugin import Application, Order, Unavailable
from ipcraft_local import job_queue
from ipcraft_local.job_queue import LocalQueue

Make = Callable[..., Application]
Lines = Callable[[], list[str]]


def threads() -> list[threading.Thread]:
    """Give the threads that run jobs."""
    return [thread for thread in threading.enumerate() if thread.name == "jobs"]


def test_jobs_run_and_are_finished_at_the_end(make: Make, lines: Lines, tmp_path: Path) -> None:
    """Whatever was queued is done when the application is closed."""
    app = make()
    for number in range(50):
        app.enqueue("chores.note", {"file": str(tmp_path / "lines"), "text": str(number)})
    app.close()
    assert sorted(lines(), key=int) == [str(number) for number in range(50)]


def test_no_thread_before_the_first_job(make: Make, tmp_path: Path) -> None:
    """A process may fork before; at the end no thread is left."""
    before = len(threads())
    app = make()
    assert len(threads()) == before
    app.enqueue("chores.note", {"file": str(tmp_path / "lines")})
    assert len(threads()) == before + 1
    app.close()
    assert len(threads()) == before


def test_a_failure_is_tried_again(make: Make, lines: Lines, tmp_path: Path) -> None:
    """The job runs until it succeeds."""
    app = make()
    app.enqueue("chores.note", {"file": str(tmp_path / "lines"), "enough": 3})
    wait_for(lambda: len(lines()) == 3)
    app.close()
    assert len(lines()) == 3


def test_a_job_is_given_up_in_the_end(make: Make, lines: Lines, tmp_path: Path) -> None:
    """After the attempts it has, it does not run again."""
    app = make()
    app.enqueue("chores.note", {"file": str(tmp_path / "lines"), "enough": 9})
    wait_for(lambda: len(lines()) == 3)
    app.close()
    assert len(lines()) == 3


def test_a_failure_harms_no_other_job(make: Make, lines: Lines, tmp_path: Path) -> None:
    """The threads go on."""
    app = make(sections={"local": {"job_threads": 1}})
    app.enqueue("chores.note", {"file": str(tmp_path / "lines"), "hopeless": True})
    app.enqueue("chores.note", {"no file": "at all"})
    app.enqueue("chores.note", {"file": str(tmp_path / "lines")})
    wait_for(lambda: len(lines()) == 2)


def test_a_delayed_job_waits(make: Make, lines: Lines, tmp_path: Path) -> None:
    """Others that are due overtake it; at an orderly end it is done all the same."""
    app = make(sections={"local": {"job_threads": 1}})
    file = str(tmp_path / "lines")
    app.enqueue("chores.note", {"file": file, "text": "late"}, delay=3600)
    app.enqueue("chores.note", {"file": file, "text": "early"})
    wait_for(lambda: lines() == ["early"])
    app.close()
    assert lines() == ["early", "late"]


def test_a_job_waiting_to_be_tried_again_gets_a_last_chance(
    make: Make, lines: Lines, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """At an orderly end it is tried at once; what fails then is told as lost."""
    queue = LocalQueue(make(), threads=1)
    payload = {"file": str(tmp_path / "lines"), "enough": 9}
    queue.put(Order(id="job_1", job="chores.later", payload=payload))
    wait_for(lambda: len(lines()) == 1 and len(queue._waiting) == 1)
    configure_logs()
    queue.close()
    assert len(lines()) == 2
    assert "a job is lost" in capsys.readouterr().err


def test_a_closed_queue_takes_nothing(make: Make) -> None:
    """Who queues a job after the end is told that it is not done."""
    app = make()
    app.close()
    with pytest.raises(Unavailable, match="ending"):
        app.enqueue("chores.note")


def test_a_full_queue_takes_nothing(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory has an end; the sender is told to try again later."""
    monkeypatch.setattr(job_queue, "CAPACITY", 2)
    queue = LocalQueue(make(), threads=1)
    order = Order(id="job_1", job="chores.note", payload={}, delay=3600)
    queue.put(order)
    queue.put(order)
    with pytest.raises(Unavailable, match="2 jobs are waiting"):
        queue.put(order)
    queue.close()


def wait_for(condition: Callable[[], bool]) -> None:
    """Look again and again until it is so."""
    deadline = time.monotonic() + 30
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline
        pause.wait(0.01)
