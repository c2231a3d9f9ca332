"""What a job is, and what is refused when one is queued."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tenacity.wait import wait_fixed

from ipcraft.context import request_id, set_request_id
from ipcraft.errors import StartError
from ipcraft.jobs.definitions import Order
from ipcraft.jobs.running import Outcome, attempt, on_behalf_of
from ipcraft.logs import configure_logs
from ipcraft.plugin import ONCE, Application, Hopeless, Job, Retries
from ipcraft.testing import make_application

Make = Callable[..., Application]

ORDER = Order(id="job_1", job="chores.note", payload={"a": 1}, request_id="req-1")


def failing(error: Exception, *, retries: Retries = ONCE) -> Job:
    """Make a job that fails."""

    def run(payload: object) -> None:
        raise error

    return Job(name="chores.note", run=run, retries=retries)


def test_pauses_double() -> None:
    """By default the pauses are 2, 4, 8 and 16 seconds, each up to a second longer."""
    pauses = [Retries().pause(number) for number in range(1, 6)]
    assert pauses[4] is None
    for pause, shortest in zip(pauses, (2, 4, 8, 16), strict=False):
        assert pause is not None
        assert shortest <= pause <= shortest + 1


def test_pauses_have_an_end() -> None:
    """However often a job fails, it is not forgotten for more than 5 minutes."""
    assert 300 <= (Retries(100).pause(50) or 0) <= 301


def test_a_job_may_be_tried_once_only() -> None:
    """Then its first failure is its last."""
    assert ONCE.pause(1) is None


def test_a_failure_is_tried_again_after_its_pause(capsys: pytest.CaptureFixture[str]) -> None:
    """The log says what failed, why, and when it is tried again."""
    configure_logs()
    job = failing(RuntimeError("no way"), retries=Retries(2, wait_fixed(7)))
    assert attempt(job, ORDER, number=1) == Outcome("no way", 7)
    assert attempt(job, ORDER, number=2) == Outcome("no way")
    first, last, *_ = capsys.readouterr().err.splitlines()
    assert "tried again" in first
    assert "no way" in first
    assert "last time" in last
    assert "req-1" in last


def test_what_is_hopeless_is_given_up() -> None:
    """A job says so when trying again would be in vain."""
    job = failing(Hopeless("refused"), retries=Retries(9))
    assert attempt(job, ORDER, number=1) == Outcome("refused")


def test_a_job_runs_on_behalf_of_its_request() -> None:
    """Log lines and events of the job carry the id of the request; afterwards it is as before."""
    seen: list[str | None] = []
    set_request_id("outer")
    attempt(Job(name="chores.note", run=lambda payload: seen.append(request_id())), ORDER, number=1)
    with on_behalf_of(ORDER):
        seen.append(request_id())
    assert [*seen, request_id()] == ["req-1", "req-1", "outer"]
    set_request_id(None)


def test_an_unknown_job_is_named(make: Make) -> None:
    """Queueing a job that nobody gives is a mistake of the plugin, told with the nearest name."""
    with pytest.raises(LookupError, match=r"'chores.nte'; did you mean \"chores.note\""):
        make().enqueue("chores.nte")


def test_a_payload_is_json(make: Make) -> None:
    """What only this process could understand is refused, wherever the job would run."""
    with pytest.raises(TypeError):
        make().enqueue("chores.note", {"file": object()})


def test_an_unknown_queue_stops_the_start(embedded: str) -> None:
    """The queue that the settings name must be there."""
    with pytest.raises(StartError, match=r"job_queue: there is no lokal; .*known: local"):
        make_application(embedded, settings={"job_queue": "lokal"})


def test_jobs_run_here_unless_there_is_a_redis(make: Make) -> None:
    """The URL of a Redis decides, and a setting overrules it."""
    section = {"redis": {"url": "redis://127.0.0.1:1/0"}}
    assert make().job_queue.name == "local"
    assert make(sections=section).job_queue.name == "redis"
    assert make(sections=section, settings={"job_queue": "local"}).job_queue.name == "local"
