"""Jobs in the process that queues them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from ipcraft.plugin import Application, Ticket
from ipcraft.testing import Clock
from ipcraft_local.job_queue import LocalQueue

Make = Callable[..., Application]
Lines = Callable[[], list[str]]


def threads() -> list[threading.Thread]:
    """Give the threads that run jobs."""
    names = {"jobs", "drain-jobs"}
    return [thread for thread in threading.enumerate() if thread.name in names]


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
    wait_for(lambda: len(threads()) == before + 2)
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
    """Others that are due overtake it; at an orderly end it is left for the next process."""
    clock = Clock(time.time())
    app = make(sections={"local": {"job_threads": 1}}, clock=clock)
    file = str(tmp_path / "lines")
    app.enqueue("chores.note", {"file": file, "text": "late"}, delay=3600)
    app.enqueue("chores.note", {"file": file, "text": "early"})
    wait_for(lambda: lines() == ["early"])
    app.close()
    assert lines() == ["early"]
    clock.advance(hours=1)
    app = make(clock=clock)
    app.drains.begin("jobs")
    wait_for(lambda: lines() == ["early", "late"])


def test_a_process_that_ends_leaves_what_failed(make: Make, lines: Lines, tmp_path: Path) -> None:
    """It is tried again by the next one, when its pause is over."""
    clock = Clock(time.time())
    app = make(clock=clock)
    app.enqueue("chores.later", {"file": str(tmp_path / "lines"), "enough": 2})
    app.close()
    assert len(lines()) == 1
    clock.advance(seconds=600)
    app = make(clock=clock)
    app.drains.begin("jobs")
    wait_for(lambda: len(lines()) == 2)


def test_a_closed_queue_does_nothing_more(make: Make, lines: Lines, tmp_path: Path) -> None:
    """What is ordered after the end stands in the database for another process."""
    app = make()
    app.job_queue.close()
    app.enqueue("chores.note", {"file": str(tmp_path / "lines")})
    app.drains.begin("jobs")
    assert lines() == []
    other = make()
    other.drains.begin("jobs")
    wait_for(lambda: len(lines()) == 1)


def test_no_more_is_taken_than_threads_can_do_soon(make: Make) -> None:
    """The rest stands in the database, where other processes find it."""
    queue = LocalQueue(make(), threads=1)
    assert queue.room() == 8
    queue.put(Ticket("job_1", "chores.note", "nobody's"))
    queue.close()


def wait_for(condition: Callable[[], bool]) -> None:
    """Look again and again until it is so."""
    deadline = time.monotonic() + 30
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline
        pause.wait(0.01)
