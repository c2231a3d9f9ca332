"""`/metrics`: who may read it, and what it says."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import update

from ipcraft.app import Application
from ipcraft.data.statements import Statement
from ipcraft.errors import Unavailable
from ipcraft.events.dispatch import Dispatcher
from ipcraft.events.sinks import Event, Postponed
from ipcraft.events.tables import event_positions
from ipcraft.jobs.orders import JOBS
from ipcraft.metrics.gauges import Gauge, Readings
from ipcraft.testing import Client, Clock, make_application, make_organization
from ipcraft_webhooks import queue
from ipcraft_webhooks.metrics import AttemptMetrics
from ipcraft_webhooks.outcomes import Outcome
from ipcraft_webhooks.queue import Notice

from .figures import figure, figures

Make = Callable[..., Application]
NEAR, FAR = "127.0.0.1", "203.0.113.9"
TOKEN = "a token for the scraper"


@pytest.fixture
def make(database_url: str) -> Iterator[Make]:
    """Give a way to make applications that measure what they do."""
    made: list[Application] = []

    def make(*, clock: Clock | None = None, **settings: object) -> Application:
        app = make_application(database_url, settings=settings, clock=clock or Clock(time.time()))
        app.measure()
        made.append(app)
        return app

    yield make
    for app in made:
        app.close()


def ask(app: Application, address: str = NEAR, **headers: str) -> Any:
    """Ask for the page from an address."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return Client(app).get("/metrics", remote_addr=address, headers=given)


def test_requests_are_counted_by_route_and_status(make: Make) -> None:
    """The route is the template of the path, and a path of none is `other`."""
    app = make()
    client = make_organization(app).client
    for _ in range(3):
        assert client.get("/api/v1/sections").status_code == 200
    client.get("/api/v1/sections/sec_01h455vb4pex5vsknk084sn02q")
    for path in ("/nowhere", "/elsewhere"):
        assert client.get(path).status_code == 404
    page = ask(app).text
    name = "ipcraft_http_request_duration_seconds_count"
    assert figure(page, name, method="GET", route="/api/v1/sections", status="200") == 3
    one = "/api/v1/sections/{section_id}"
    assert figure(page, name, method="GET", route=one, status="404") == 1
    assert figure(page, name, method="GET", route="other", status="404") == 2


@pytest.mark.filterwarnings("ignore::wsgiref.validate.WSGIWarning")
def test_unknown_methods_are_one_label(make: Make) -> None:
    """A stranger cannot make the page grow."""
    app = make()
    for method in ("BREW", "COFFEE"):
        Client(app).request(method, "/healthz")
    name = "ipcraft_http_request_duration_seconds_count"
    methods = {dict(labels)["method"] for each, labels in figures(ask(app).text) if each == name}
    assert methods <= {"GET", "other"}


def test_the_page_is_prometheus_own_format(make: Make) -> None:
    """Text by default, OpenMetrics for who asks for it; HEAD works."""
    app = make()
    assert ask(app).headers["content-type"].startswith("text/plain; version=")
    asked = ask(app, Accept="application/openmetrics-text; version=1.0.0")
    assert asked.headers["content-type"].startswith("application/openmetrics-text")
    assert asked.text.endswith("# EOF\n")
    assert Client(app).request("HEAD", "/metrics", remote_addr=NEAR).status_code == 200


@pytest.mark.parametrize("address", [NEAR, "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_this_machine_may_read(make: Make, address: str) -> None:
    """Without a setting a scraper on the machine needs nothing."""
    assert ask(make(), address).status_code == 200


@pytest.mark.parametrize("address", [FAR, "10.0.0.1", "fe80::1", "", "nonsense"])
def test_nobody_else_may(make: Make, address: str) -> None:
    """The refusal says which settings let somebody in."""
    answer = ask(make(), address)
    assert answer.status_code == 403
    assert "metrics_networks" in answer.json["error"]


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_what_a_proxy_forwards_is_not_of_this_machine(make: Make, header: str) -> None:
    """A proxy beside us, which nobody has named, does not open the page to the world."""
    assert ask(make(), NEAR, **{header: "127.0.0.1"}).status_code == 403


def test_a_trusted_proxy_says_who_asks(make: Make) -> None:
    """Behind a proxy that is named it is the client's address that counts."""
    app = make(trusted_proxies=["127.0.0.1"], metrics_networks=["203.0.113.0/24"])
    assert ask(app, NEAR, X_Forwarded_For=FAR).status_code == 200
    assert ask(app, NEAR, X_Forwarded_For="198.51.100.1").status_code == 403
    assert ask(app, NEAR).status_code == 403
    assert ask(app, FAR).status_code == 200


def test_a_token_opens_from_anywhere(make: Make) -> None:
    """A wrong one is 401, from the machine itself too; without one the networks count."""
    app = make(metrics_token=TOKEN)
    assert ask(app, FAR, Authorization=f"Bearer {TOKEN}").status_code == 200
    assert ask(app, FAR, Authorization=f"bearer {TOKEN}").status_code == 200
    for wrong in (f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer", "Bearer é"):
        assert ask(app, NEAR, Authorization=wrong).status_code == 401
    assert ask(app, FAR).status_code == 403
    assert ask(app, NEAR).status_code == 200


def test_only_the_token_opens_where_no_network_is_named(make: Make) -> None:
    """An empty list lets no address in."""
    app = make(metrics_token=TOKEN, metrics_networks=[])
    assert ask(app, NEAR).status_code == 403
    assert ask(app, NEAR, Authorization=f"Bearer {TOKEN}").status_code == 200


def test_switched_off_there_is_no_page(make: Make) -> None:
    """Nothing is counted, and the path is none."""
    app = make(metrics=False)
    assert ask(app).status_code == 404


def test_what_waits_in_the_outbox_is_told(make: Make) -> None:
    """Depth and age; nothing waits once the events have their sequence."""
    clock = Clock(time.time())
    app = make(clock=clock)
    organization = make_organization(app)
    for name in "ab":
        organization.client.post("/api/v1/sections", json={"name": name})
    clock.advance(seconds=90)
    page = ask(app).text
    waiting = figure(page, "ipcraft_events_waiting")
    assert waiting is not None
    assert waiting >= 2
    assert figure(page, "ipcraft_events_oldest_waiting_seconds") == pytest.approx(90, abs=2)
    app.drains._drains["events"].run()
    page = ask(app).text
    assert figure(page, "ipcraft_events_waiting") == 0
    assert figure(page, "ipcraft_events_oldest_waiting_seconds") == 0


class Refusing:
    """Be a sink that takes nothing."""

    name = "webhooks"

    def deliver(self, events: list[Event]) -> None:
        """Refuse."""
        raise Postponed("not now", seconds=60)


def test_what_a_sink_has_not_taken_is_told(make: Make) -> None:
    """Number, age, and for how many organizations it fails; 0 for a sink that has all."""
    clock = Clock(time.time())
    app = make(clock=clock)
    organization = make_organization(app)
    app.drains._drains["events"].run()
    # The first events of an organization are before its sinks; these come after.
    behind = Statement(update(event_positions).values(position=0, due_at=1))
    app.storage.transact_system(lambda tx: tx.write(behind))
    sink: Any = Refusing()
    dispatcher = Dispatcher(
        sink, storage=app.storage, clock=clock, lease=30.0, wake=lambda name: None
    )
    assert dispatcher.begin()
    dispatcher.join()
    clock.advance(seconds=40)
    page = ask(app).text
    assert organization.id
    assert (figure(page, "ipcraft_sink_events_waiting", sink="webhooks") or 0) >= 1
    assert figure(page, "ipcraft_sink_organizations_failing", sink="webhooks") == 1
    age = figure(page, "ipcraft_sink_oldest_event_seconds", sink="webhooks")
    assert age == pytest.approx(40, abs=2)


def test_jobs_are_told_by_state_and_outcome(make: Make) -> None:
    """What is asked for waits, and is counted as it ends."""
    clock = Clock(time.time())
    app = make(clock=clock)
    app.drains.end(JOBS)  # nobody takes it before us
    app.enqueue("jobs.tidy")
    clock.advance(seconds=30)
    page = ask(app).text
    assert figure(page, "ipcraft_jobs", state="queued") == 1
    assert figure(page, "ipcraft_jobs_longest_wait_seconds") == pytest.approx(30, abs=1)
    (ticket,) = app.orders.take(1)
    app.orders.perform(ticket)
    page = ask(app).text
    assert figure(page, "ipcraft_jobs", state="queued") == 0
    assert figure(page, "ipcraft_job_attempts_total", job="jobs.tidy", outcome="done") == 1
    assert figure(page, "ipcraft_job_duration_seconds_count", job="jobs.tidy") == 1


def test_deliveries_are_told_by_outcome_and_wait(make: Make) -> None:
    """What waits for a webhook is read, what was attempted is counted."""
    clock = Clock(time.time())
    app = make(clock=clock)
    organization = make_organization(app)
    organization.client.post("/api/v1/webhooks", json={"url": "https://example.com/hook"})
    notice = Notice("evt_1", "folder.created", "{}")
    queue.put(app.storage, organization.id, [notice], now_ms=int(clock() * 1000))
    clock.advance(seconds=50)
    measures = AttemptMetrics(app.metrics)
    for status in (204, 500, None, None):
        measures.note(Outcome(at=0, duration_ms=20, status=status))
    page = ask(app).text
    assert figure(page, "ipcraft_webhook_attempts_waiting") == 1
    assert figure(page, "ipcraft_webhook_longest_wait_seconds") == pytest.approx(50, abs=1)
    assert figure(page, "ipcraft_webhooks_disabled") == 0
    outcomes = {"taken": 1, "refused": 1, "unreachable": 2}
    for outcome, number in outcomes.items():
        assert figure(page, "ipcraft_webhook_attempts_total", outcome=outcome) == number
    assert figure(page, "ipcraft_webhook_attempt_duration_seconds_count") == 4


def test_requests_beyond_a_limit_are_told(make: Make) -> None:
    """Each 429 is counted by the name of its limit."""
    app = make()
    client = make_organization(app, plan="free").client
    answers = [client.get("/api/v1/sections").status_code for _ in range(12)]
    assert figure(ask(app).text, "ipcraft_rate_limited_requests_total", limit="plan") == sum(
        status == 429 for status in answers
    )
    assert 429 in answers


def test_the_pool_is_told_where_there_is_one(make: Make, backend: str) -> None:
    """Each process's connections to PostgreSQL, in use and idle, and how many there may be."""
    app = make()
    app.storage.check()
    assert app._samples is not None
    app._samples.read()
    page = ask(app).text
    most = figure(page, "ipcraft_database_connections_most")
    idle = figure(page, "ipcraft_database_connections", state="idle")
    assert (most, idle) == ((16, 1) if backend == "postgresql" else (None, None))


def test_a_gauge_that_fails_is_left_out(application: Application) -> None:
    """The others are read all the same, and the number of those that were not is told."""

    def fail() -> float:
        raise Unavailable("the database cannot be used")

    def break_() -> float:
        raise ZeroDivisionError

    gauges = [
        Gauge(name="down", description="Down.", read=fail),
        Gauge(name="broken", description="Broken.", read=break_),
        Gauge(name="well", description="Well.", read=lambda: 3),
    ]
    found, unread = Readings(gauges).read()
    assert [(each.gauge.name, dict(each.values)) for each in found] == [("well", {(): 3.0})]
    assert unread == 2


def test_a_gauge_that_hangs_holds_up_no_request() -> None:
    """Who has waited long enough gets what there is; one thread hangs, however many ask."""
    released, calls = threading.Event(), []

    def hang() -> float:
        calls.append(threading.current_thread())
        released.wait()
        return 1.0

    readings = Readings(
        [
            Gauge(name="well", description="Well.", read=lambda: 3),
            Gauge(name="hanging", description="Hanging.", read=hang),
        ]
    )
    for _ in range(3):
        found, unread = readings.read(patience=0.05)
        assert ([each.gauge.name for each in found], unread) == (["well"], 1)
    assert len(calls) == 1
    released.set()
    calls[0].join()
    assert readings.read()[1] == 0


def test_a_command_does_not_import_what_only_servers_need() -> None:
    """Whoever asks for no metrics does not wait for them."""
    program = "import sys, ipcraft.cli.program, ipcraft_webhooks, ipcraft_postgresql, ipcraft.app"
    check = "assert 'prometheus_client' not in sys.modules"
    subprocess.run([sys.executable, "-c", f"{program}; {check}"], check=True)
