"""Jobs that run by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from ipcraft.jobs.schedules import Schedules
from ipcraft.plugin import Application, Job, Transaction, Unavailable
from ipcraft.testing import Clock, make_application

NOON = 1_772_366_400


@pytest.fixture
def clock() -> Clock:
    """Give a clock that stands still."""
    return Clock(NOON)


@pytest.fixture
def application(database_url: str, clock: Clock) -> Iterator[Application]:
    """Give the application of the built-in plugins at a time that tests set."""
    app = make_application(database_url, clock=clock)
    yield app
    app.close()


def schedules(app: Application, queued: list[str], **every: int | None) -> Schedules:
    """Make the schedules of one process."""
    return Schedules(
        [Job(name=name, run=print, every=seconds) for name, seconds in every.items()],
        storage=app.storage,
        enqueue=lambda name, tx: queued.append(name),
        clock=app.clock,
    )


def test_a_job_runs_once_in_its_interval(application: Application, clock: Clock) -> None:
    """First at once, then not before its seconds have passed; one without a schedule never."""
    queued: list[str] = []
    process = schedules(application, queued, hourly=3600, daily=86_400, never=None)
    assert process.run_due() == 3600
    assert queued == ["hourly", "daily"]
    clock.advance(seconds=3599)
    assert process.run_due() == 1
    assert queued == ["hourly", "daily"]
    clock.advance(seconds=1)
    assert process.run_due() == 3600
    assert queued == ["hourly", "daily", "hourly"]


def test_of_many_processes_one_has_the_run(application: Application, clock: Clock) -> None:
    """However many look at the same moment, the job is queued once."""
    queued: list[str] = []
    processes = [schedules(application, queued, hourly=3600) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        for round_ in range(1, 6):
            list(pool.map(lambda process: process.run_due(), processes))
            assert queued == ["hourly"] * round_
            clock.advance(hours=1)


def test_missed_runs_are_not_made_up_for(application: Application, clock: Clock) -> None:
    """After a night without a server the job runs once, not ten times."""
    queued: list[str] = []
    process = schedules(application, queued, hourly=3600)
    process.run_due()
    clock.advance(hours=10)
    process.run_due()
    process.run_due()
    assert queued == ["hourly"] * 2


def test_a_run_that_cannot_be_ordered_is_due_still(application: Application, clock: Clock) -> None:
    """Its time is moved on in the transaction of the order, or not at all."""
    queued: list[str] = []

    def enqueue(name: str, tx: Transaction) -> None:
        if not queued:
            queued.append("failed")
            raise Unavailable("the database is away")
        queued.append(name)

    jobs = [Job(name="hourly", run=print, every=60)]
    process = Schedules(jobs, storage=application.storage, enqueue=enqueue, clock=clock)
    with pytest.raises(Unavailable):
        process.run_due()
    process.run_due()
    assert queued == ["failed", "hourly"]


def test_a_due_job_is_ordered(application: Application) -> None:
    """The order stands in the database."""
    application.drains.end("jobs")
    application.schedules.run_due()
    ordered = {account.job for account in application.orders.accounts(finished=False, limit=100)}
    assert {"jobs.tidy", "magiclink.tidy"} <= ordered


def test_a_thread_looks_after_them(application: Application) -> None:
    """Once begun, what is due is queued without anybody's doing, until the end."""
    queued: list[str] = []
    process = schedules(application, queued, hourly=3600)
    process.begin()
    pause = Event()
    while not queued:
        pause.wait(0.01)
    process.end()
    assert queued == ["hourly"]
