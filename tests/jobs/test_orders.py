"""Orders stand in the database from the asking to the end."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tenacity.wait import wait_fixed

from ipcraft.jobs.orders import MOST_DEATHS, Account, Orders
from ipcraft.plugin import (
    ONCE,
    Application,
    Hopeless,
    Invalid,
    Job,
    NotFound,
    Retries,
    Ticket,
    Transaction,
)
from ipcraft.testing import Clock, make_application, make_organization

NOON = 1_772_366_400
LEASE = 30.0


class Carrier:
    """Be a queue that keeps what it is given."""

    name = "carrier"
    runs_here = False

    def __init__(self) -> None:
        self.tickets: list[Ticket] = []
        self.most = 100

    def room(self) -> int:
        """Have some."""
        return self.most - len(self.tickets)

    def put(self, ticket: Ticket) -> None:
        """Keep it."""
        self.tickets.append(ticket)

    def wake(self, drain: str) -> None:
        """Tell nobody."""

    def close(self) -> None:
        """Have nothing to close."""


class Death(BaseException):
    """Be the end of a process in the middle of a job."""


class Work:
    """Be jobs that remember and fail, and the orders of them in one process."""

    def __init__(self, app: Application, *, lease: float = LEASE) -> None:
        self.done: list[Mapping[str, Any]] = []
        self.error: Exception | None = None
        self.dies = False
        self.queue = Carrier()
        jobs = [
            Job(name="work.do", run=self._run, retries=Retries(3, wait_fixed(60))),
            Job(name="work.once", run=self._run, retries=ONCE),
        ]
        self.orders = Orders(
            {job.name: job for job in jobs},
            storage=app.storage,
            queue=self.queue,
            clock=app.clock,
            lease=lease,
            metrics=app.metrics,
        )

    def order(self, job: str = "work.do", *, delay: float = 0.0, **payload: object) -> str:
        """Order a job."""
        return self.orders.write(job, payload, delay=delay, tx=None)

    def perform(self) -> None:
        """Give the queue what is due and work it off."""
        self.orders.run()
        while self.queue.tickets:
            self.orders.perform(self.queue.tickets.pop(0))

    def accounts(self, *, finished: bool = True) -> list[Account]:
        """Tell how the orders stand."""
        return self.orders.accounts(finished=finished, limit=1000)

    def _run(self, payload: Mapping[str, Any]) -> None:
        if self.dies:
            raise Death
        if self.error is not None:
            raise self.error
        self.done.append(payload)


@pytest.fixture
def clock() -> Clock:
    """Give a clock that stands still."""
    return Clock(NOON)


@pytest.fixture
def application(database_url: str, clock: Clock) -> Iterator[Application]:
    """Give the application of the built-in plugins at a time that tests set."""
    app = make_application(database_url, clock=clock)
    app.drains.end("jobs")  # what is ordered is for the queue of the test
    yield app
    app.close()


@pytest.fixture
def work(application: Application) -> Work:
    """Give jobs."""
    return Work(application)


def test_an_order_is_worked_off_once(work: Work) -> None:
    """With its payload; afterwards it is done."""
    order_id = work.order(number=1)
    work.perform()
    work.perform()
    assert work.done == [{"number": 1}]
    (account,) = work.accounts()
    assert account == Account(order_id, "work.do", "done", None, 1, None, NOON, NOON)
    assert work.accounts(finished=False) == []


def test_an_order_belongs_to_its_transaction(application: Application, work: Work) -> None:
    """What is rolled back leaves none; what is committed leaves one of its organization."""
    organization = make_organization(application)

    def order(tx: Transaction) -> None:
        work.orders.write("work.do", {}, delay=0.0, tx=tx)

    def fail(tx: Transaction) -> None:
        order(tx)
        raise Invalid("no")

    with pytest.raises(Invalid):
        application.storage.transact(organization.id, fail)
    assert work.accounts() == []
    application.storage.transact(organization.id, order)
    assert [account.organization_id for account in work.accounts()] == [organization.id]
    work.perform()
    assert work.done == [{}]


def test_an_erased_organizations_orders_are_gone(application: Application, work: Work) -> None:
    """Those of others and of nobody stay."""
    for organization in (make_organization(application), make_organization(application)):
        application.storage.transact(
            organization.id, lambda tx: work.orders.write("work.do", {}, delay=0.0, tx=tx)
        )
    work.order()
    application.storage.transact(organization.id, application.erase)
    assert organization.id not in {account.organization_id for account in work.accounts()}
    assert len(work.accounts()) == 2


def test_a_failure_is_tried_again(work: Work, clock: Clock) -> None:
    """After its pause, until it succeeds; the reason can be read meanwhile."""
    work.order()
    work.error = RuntimeError("the other side is down")
    work.perform()
    (account,) = work.accounts()
    assert (account.state, account.attempts, account.reason) == (
        "queued",
        1,
        "the other side is down",
    )
    clock.advance(seconds=59)
    work.error = None
    work.perform()
    assert work.done == []
    clock.advance(seconds=1)
    work.perform()
    (account,) = work.accounts()
    assert (account.state, account.attempts, account.reason) == ("done", 2, None)


def test_what_fails_in_the_end_can_be_retried(work: Work, clock: Clock) -> None:
    """It stands there with its reason; tried again, it has all its attempts again."""
    order_id = work.order()
    work.error = RuntimeError("no")
    for _ in range(3):
        work.perform()
        clock.advance(seconds=60)
    (account,) = work.accounts(finished=False)
    assert (account.state, account.attempts, account.reason) == ("failed", 3, "no")
    work.perform()
    assert work.accounts()[0].attempts == 3
    work.orders.retry(order_id)
    work.perform()
    clock.advance(seconds=60)
    work.error = None
    work.perform()
    assert work.accounts()[0].state == "done"


def test_only_what_failed_can_be_retried(work: Work) -> None:
    """Anything else is not found."""
    order_id = work.order()
    for each in (order_id, "job_nobodys"):
        with pytest.raises(NotFound):
            work.orders.retry(each)


def test_what_is_hopeless_fails_at_once(work: Work) -> None:
    """Whatever attempts it has left."""
    work.order()
    work.error = Hopeless("refused")
    work.perform()
    assert [(each.state, each.reason) for each in work.accounts()] == [("failed", "refused")]


def test_a_job_that_nobody_gives_any_more_waits(
    application: Application, work: Work, clock: Clock
) -> None:
    """A plugin was switched off: the order says so, and is done when somebody has it again."""
    application.enqueue("magiclink.tidy")
    work.perform()
    (account,) = work.accounts()
    assert account.state == "queued"
    assert account.reason == "no plugin gives the job 'magiclink.tidy'"
    clock.advance(seconds=60)
    application.job_queue.close()
    assert [account.state for account in work.accounts()] == ["done"]


def test_a_delayed_order_waits(work: Work, clock: Clock) -> None:
    """Until its time."""
    work.order(delay=10)
    work.perform()
    assert work.done == []
    clock.advance(seconds=10)
    work.perform()
    assert work.done == [{}]


def test_a_lost_ticket_is_given_again(work: Work, clock: Clock) -> None:
    """When its lease has ended; the one that was lost is worth nothing any more."""
    work.order()
    work.orders.run()
    (lost,) = work.queue.tickets
    work.queue.tickets.clear()
    work.perform()
    assert work.done == []
    clock.advance(seconds=LEASE)
    work.orders.run()
    work.orders.perform(lost)
    assert work.done == []
    work.perform()
    work.orders.perform(lost)
    assert work.done == [{}]


def test_a_ticket_is_good_for_one_run(work: Work) -> None:
    """A queue that gives it twice, to two at once, has the job run once."""
    work.order()
    work.orders.run()
    (ticket,) = work.queue.tickets
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work.orders.perform, [ticket] * 8))
    assert work.done == [{}]


def test_a_dead_process_costs_no_attempt(application: Application, clock: Clock) -> None:
    """A job that may be tried once runs again when its process died in the middle of it."""
    dead, alive = Work(application), Work(application)
    dead.order("work.once")
    die(dead)
    alive.perform()
    assert alive.done == []
    clock.advance(seconds=LEASE)
    alive.perform()
    assert alive.done == [{}]
    assert [(each.state, each.attempts) for each in alive.accounts()] == [("done", 2)]


def test_a_job_that_kills_its_processes_is_given_up(application: Application, clock: Clock) -> None:
    """It would kill one after the other; the reason tells."""
    work = Work(application)
    work.order()
    for _ in range(MOST_DEATHS + 1):
        die(work)
        clock.advance(seconds=LEASE)
    work.perform()
    assert work.done == []
    (account,) = work.accounts()
    assert account.state == "failed"
    assert "its process died" in (account.reason or "")


def test_the_queue_is_given_what_it_has_room_for(work: Work) -> None:
    """The rest waits in the database, in the order of its time."""
    work.queue.most = 3
    for number in range(7):
        work.order(number=number)
    assert work.orders.run() == 0
    assert len(work.queue.tickets) == 3
    assert work.orders.waiting() == 4
    while work.orders.waiting():
        work.perform()
    assert sorted(payload["number"] for payload in work.done) == list(range(7))


def test_of_many_processes_one_has_the_order(application: Application) -> None:
    """However many look at the same moment."""
    processes = [Work(application) for _ in range(6)]
    for number in range(30):
        processes[0].order(number=number)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda process: process.perform(), processes))
    for process in processes:
        process.perform()
    done = [payload["number"] for process in processes for payload in process.done]
    assert sorted(done) == list(range(30))


def test_old_orders_are_forgotten(work: Work, clock: Clock) -> None:
    """Done ones after a day, failed ones after thirty; what waits never."""
    work.order()
    work.perform()
    work.error = Hopeless("no")
    work.order()
    work.perform()
    work.order(delay=10**8)
    clock.advance(hours=24, seconds=1)
    work.orders.tidy()
    assert [account.state for account in work.accounts()] == ["failed", "queued"]
    clock.advance(hours=29 * 24)
    work.orders.tidy()
    assert [account.state for account in work.accounts()] == ["queued"]


def die(work: Work) -> None:
    """Begin an order and never come back."""
    work.orders.run()
    ticket = work.queue.tickets.pop()
    work.dies = True
    with pytest.raises(Death):
        work.orders.perform(ticket)
    work.dies = False


def test_a_lease_is_renewed_while_the_job_runs(application: Application, clock: Clock) -> None:
    """A job may run longer than a lease lasts; nobody else takes it meanwhile."""
    slow, other = Work(application, lease=0.3), Work(application)
    gate, begun = threading.Event(), threading.Event()

    def run(payload: Mapping[str, Any]) -> None:
        begun.set()
        assert gate.wait(30)

    slow.orders._jobs = {"work.do": Job(name="work.do", run=run)}
    slow.order()
    slow.orders.run()
    thread = threading.Thread(target=slow.orders.perform, args=(slow.queue.tickets.pop(),))
    thread.start()
    assert begun.wait(30)
    for _ in range(5):
        threading.Event().wait(0.11)
        slow.orders.run()
        clock.advance(seconds=0.2)
        assert other.orders.take(1) == []
    gate.set()
    thread.join()
    assert [account.state for account in slow.accounts()] == ["done"]


def test_a_wake_comes_with_the_commit_and_not_without(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is woken finds what was written; nobody is woken for what was rolled back."""
    organization = make_organization(application)
    woken: list[str] = []
    monkeypatch.setattr(type(application), "wake", lambda app, drain: woken.append(drain))
    app = make_application(application.settings.database_url, clock=application.clock)

    def fail(tx: Transaction) -> None:
        app.enqueue("jobs.tidy", tx=tx)
        raise Invalid("no")

    with pytest.raises(Invalid):
        app.storage.transact(organization.id, fail)
    assert woken == []

    def work(tx: Transaction) -> None:
        app.enqueue("jobs.tidy", tx=tx)
        app.enqueue("jobs.tidy", tx=tx)
        assert woken == []

    app.storage.transact(organization.id, work)
    assert woken == ["jobs"]
    app.storage.close()
