"""Webhooks: how many deliveries a process makes, how soon, and what spoils it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from threading import Event as Signal
from unittest.mock import patch

import orjson

from bench.dispatcher import SETTINGS, change, dispatcher
from bench.figures import Figures, Series
from bench.grounds import Grounds, say
from bench.queued import queue_deliveries, work_off
from bench.receiver import Arrival, Receiver, receiver
from bench.servers import database
from bench.table import Goal, Line
from ipcraft.events.recording import Recorder
from ipcraft.plugin import Event, new_id
from ipcraft.testing import Organization, make_application, make_organization
from ipcraft.testing.services import Redis

DELIVERIES = 10_000
QUEUED = 2_000
SOON = 6_000
SOON_RATE = 200.0
HEALTHY = 47
BAD = ("hole", "drip", "reset")
EVENTS = 500
EVENTS_RATE = 8.0
WRITES = 2_000

_PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class _Home:
    """Hold an organization in a database of its own."""

    database_url: str
    organization: Organization

    def subscribe(self, url: str) -> None:
        """Make a webhook."""
        answer = self.organization.client.post("/api/v1/webhooks", json={"url": url})
        assert answer.status_code == 201, answer.text


def deliveries(grounds: Grounds) -> list[Line]:
    """Measure the rate, the delay, the company of bad endpoints, and the cost of the event row."""
    return [*_rate(grounds), _delay(grounds), *_company(grounds), _cost(grounds)]


def _rate(grounds: Grounds) -> list[Line]:
    number, queued = grounds.effort.sized(DELIVERIES), grounds.effort.sized(QUEUED)
    ours, theirs = Series(), Series()
    for count in range(min(grounds.effort.rounds, 3)):
        say(f"{number:,} deliveries by one process, and {queued:,} by RQ, round {count + 1}")
        ours.add(_dispatched(grounds, number))
        theirs.add(_queued(queued))
    return [
        Line(
            operation="deliveries, one process",
            series=ours,
            data=f"{number:,} events",
            ratio=ours.rate_beside(theirs),
            to="one RQ job each",
            value=ours.rate,
            goals=(Goal("value", ">=", 1000, "/s"),),
            note="signed, logged, each with a row",
        ),
        Line(operation="deliveries, one RQ job each", series=theirs, data=f"{queued:,} jobs"),
    ]


def _dispatched(grounds: Grounds, number: int) -> Figures:
    """Put attempts in, then let a process make them; the time from the first to the last."""
    with _home(grounds) as home, receiver() as far_end:
        home.subscribe(far_end.url)
        app = home.organization.client.app
        told = [_event(home.organization, count) for count in range(number)]
        for start in range(0, number, 100):
            app.event_sinks["webhooks"].deliver(told[start : start + 100])
        with dispatcher(home.database_url, home.organization.id):
            arrivals = _wait_for(far_end, number)
    times = sorted(at for _, _, at in arrivals)
    return Figures(_gaps(times), times[-1] - times[0], {200: len(times)})


def _queued(number: int) -> Figures:
    with Redis.obtain() as redis, receiver() as far_end:
        body = orjson.dumps(change(1).data).decode()
        queue_deliveries(redis.url, far_end.url, body, number=number)
        seconds = work_off(redis.url)
        times = sorted(at for _, _, at in _wait_for(far_end, number))
    return Figures(_gaps(times), seconds, {200: len(times)})


def _gaps(times: list[float]) -> list[int]:
    return [round((after - before) * 1e9) for before, after in pairwise(times)]


def _delay(grounds: Grounds) -> Line:
    number = grounds.effort.sized(SOON)
    say(f"{number:,} events, {SOON_RATE:g} a second: from the commit to the receiver")
    with _home(grounds) as home, receiver() as far_end:
        home.subscribe(far_end.url)
        series = Series([_paced(home, far_end, number=number, rate=SOON_RATE, healthy=1)])
    return Line(
        operation="commit to first attempt",
        series=series,
        data=f"{SOON_RATE:g} events/s",
        value=series.p99,
        goals=(Goal("value", "<=", 500, " ms"),),
    )


def _company(grounds: Grounds) -> list[Line]:
    number = grounds.effort.sized(EVENTS)
    alone, beside = Series(), Series()
    for count in range(min(grounds.effort.rounds, 3)):
        for series, bad in ((alone, ()), (beside, BAD)):
            say(f"47 endpoints and {len(bad)} bad ones, {number} events each, round {count + 1}")
            series.add(_in_company(grounds, number, bad=bad))
    ratio = median(
        Series([mine]).p99 / Series([theirs]).p99
        for mine, theirs in zip(beside.rounds, alone.rounds, strict=True)
    )
    return [
        Line(operation="47 endpoints", series=alone, data=f"{number} events each"),
        Line(
            operation="47 beside 3 bad ones",
            series=beside,
            data=f"{number} events each",
            ratio=ratio,
            to="p99 without them",
            goals=(Goal("ratio", "<=", 2),),
            note="a black hole, a byte a second, resets",
        ),
    ]


def _in_company(grounds: Grounds, number: int, *, bad: Sequence[str]) -> Figures:
    with _home(grounds) as home, receiver() as far_end:
        for path in (*map(str, range(HEALTHY)), *bad):
            home.subscribe(far_end.url + path)
        return _paced(home, far_end, number=number, rate=EVENTS_RATE, healthy=HEALTHY)


def _paced(home: _Home, far_end: Receiver, *, number: int, rate: float, healthy: int) -> Figures:
    """Commit events at a rate; give how long each took to each healthy endpoint."""
    with dispatcher(home.database_url, home.organization.id, number=number, rate=rate) as printed:
        committed: dict[str, float] = orjson.loads(printed.readline())
        arrivals = _wait_for(far_end, number * healthy, of=committed)
    delays = [round((at - committed[name]) * 1e9) for _, name, at in arrivals]
    return Figures(delays, number / rate, {200: len(delays)})


def _wait_for(
    far_end: Receiver, number: int, *, of: dict[str, float] | None = None
) -> list[Arrival]:
    """Wait for so many arrivals at healthy endpoints, each path and id once."""
    first: dict[tuple[str, str], Arrival] = {}
    pause, deadline = Signal(), time.monotonic() + _PATIENCE
    while True:
        for path, name, at in far_end.arrivals():
            if path[1:] not in BAD and (of is None or name in of):
                key = (path, name or str(len(first)))
                first.setdefault(key, (path, name, at))
        if len(first) >= number:
            return list(first.values())
        assert time.monotonic() < deadline, f"{len(first)} of {number} arrived"
        pause.wait(0.5)


def _cost(grounds: Grounds) -> Line:
    """Commit the same transaction with and without its event row, by turns."""
    number = grounds.effort.sized(WRITES, least=200)
    with_row, without = Series(), Series()
    with _home(grounds) as home:
        for count in range(grounds.effort.rounds):
            say(f"{number:,} writes with and without an event row, round {count + 1}")
            with patch.object(Recorder, "after", lambda self, changes, tx: None):
                without.add(_written(home, number))
            with_row.add(_written(home, number))
    return Line(
        operation="POST section, with its event",
        series=with_row,
        clients=1,
        ratio=with_row.rate_beside(without),
        to="without the event row",
        goals=(Goal("ratio", ">=", 0.9),),
    )


def _written(home: _Home, number: int) -> Figures:
    client = home.organization.client
    latencies = []
    began = time.perf_counter()
    for count in range(number):
        before = time.perf_counter_ns()
        answer = client.post("/api/v1/sections", json={"name": f"Section {count}"})
        latencies.append(time.perf_counter_ns() - before)
        assert answer.status_code == 201
    return Figures(latencies, time.perf_counter() - began, {201: number})


@contextmanager
def _home(grounds: Grounds) -> Iterator[_Home]:
    with database(grounds.server) as url:
        app = make_application(url, settings=SETTINGS)
        try:
            yield _Home(url, make_organization(app))
        finally:
            app.close()


def _event(organization: Organization, number: int) -> Event:
    made = change(number)
    return Event(
        id=new_id("evt"),
        organization_id=organization.id,
        sequence=number + 1,
        type=made.type,
        resource_id=made.resource_id,
        label=made.label,
        details=made.details,
        data=made.data,
        actor=organization.user_id,
        request_id=None,
        created_at=int(time.time()),
    )
