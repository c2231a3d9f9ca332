"""`ipcraft jobs`: what waits, what failed, and having it tried again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ipcraft.plugin import Application, Hopeless, Job
from ipcraft.testing import Command, make_application


@pytest.fixture
def application(database_url: str) -> Iterator[Application]:
    """Give an application that orders jobs and runs none by itself."""
    app = make_application(database_url)
    app.drains.end("jobs")
    yield app
    app.close()


def test_jobs_are_listed_and_retried(application: Application, command: Command) -> None:
    """Each with its state, age, attempts and reason; a failed one gets its attempts again."""

    def refuse(payload: object) -> None:
        raise Hopeless("the mail server\nrefuses")

    jobs = dict(application.jobs)
    jobs["jobs.tidy"] = Job(name="jobs.tidy", run=refuse)
    application.orders._jobs = jobs
    failed = application.enqueue("jobs.tidy")
    (ticket,) = application.orders.take(1)
    application.orders.perform(ticket)
    waiting = application.enqueue("magiclink.tidy", delay=3600)
    shown = command("jobs")
    assert shown.exit_code == 0, shown.output
    first, second = shown.output.splitlines()
    assert first.startswith(f"{failed}  jobs.tidy  failed  ")
    assert first.endswith("s  1  the mail server refuses")
    assert second.startswith(f"{waiting}  magiclink.tidy  queued  ")
    assert command("jobs", "retry", failed).exit_code == 0
    assert failed not in command("jobs").output
    assert f"{failed}  jobs.tidy  done" in command("jobs", "--all").output


def test_only_what_failed_is_retried(application: Application, command: Command) -> None:
    """Anything else is told."""
    refused = command("jobs", "retry", "job_nobodys")
    assert refused.exit_code == 1
    assert "no job job_nobodys has failed" in refused.output


def test_a_list_has_an_end(application: Application, command: Command) -> None:
    """The oldest come first."""
    ids = [application.enqueue("magiclink.tidy", delay=3600) for _ in range(3)]
    lines = command("jobs", "--limit", "2").output.splitlines()
    assert [line.split()[0] for line in lines] == ids[:2]
