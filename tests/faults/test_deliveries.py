"""Events on their way to webhooks while everything breaks: none is lost, none is made up.

A tenth of the full run, which ``contrib/bench/run --only faults`` makes: it sets the number of
changes in ``IPCRAFT_TEST_CHANGES``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import redis
from sqlalchemy import or_, select

from ipcraft.plugin import Row, Statement, events, own
from ipcraft.testing import make_application
from ipcraft.testing.services import PostgreSQL, Redis, WebhookReceiver
from ipcraft.testing.serving import Org, Served

from .changes import Changes
from .workers import Worker

CHANGES = int(os.environ.get("IPCRAFT_TEST_CHANGES", "10000"))
FAULTS = CHANGES // 500
RESETS = 0.03
PAUSE = 1.0
PATIENCE = 300.0
_TOLD_EVENTS: Statement[Row] = Statement(
    select(events.c.id, events.c.sequence).where(
        events.c.organization_id == own(),
        or_(events.c.type == "subnet.created", events.c.type == "address.created"),
    )
)


@pytest.fixture
def server() -> Iterator[PostgreSQL]:
    """Give a PostgreSQL of our own, which may be stopped."""
    with PostgreSQL.start() as server:
        yield server


@pytest.fixture
def broker() -> Iterator[Redis]:
    """Give a Redis of our own, likewise."""
    with Redis() as broker:
        yield broker


@pytest.fixture
def environ(broker: Redis) -> dict[str, str]:
    """Give the settings of the server and of the workers: what waits does not wait for long."""
    return {
        "IPCRAFT_REDIS_URL": broker.url,
        "IPCRAFT_ALLOWED_NETWORKS": "127.0.0.0/8",
        "IPCRAFT_LEASE": "2",
        "IPCRAFT_WEBHOOKS_RETRY_SCHEDULE": "0.5,1,1,2,2,2,5,5,5",
    }


def test_no_event_is_lost_and_none_is_made_up(
    server: PostgreSQL,
    broker: Redis,
    environ: dict[str, str],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """Workers are killed, Redis forgets and restarts, PostgreSQL restarts, receivers reset.

    Each committed change is told, nothing that was rolled back is, and what is told twice has
    the same id and the same body.
    """
    url = server.create_database()
    make_application(url).close()
    workers_environ = {**environ, "IPCRAFT_DATABASE_URL": url}
    with (
        WebhookReceiver() as receiver,
        Served(url, tmp_path, workers=2, environ=environ) as served,
        Worker(tmp_path, workers_environ) as first,
        Worker(tmp_path, workers_environ) as second,
    ):
        org = served.organization()
        receiver.trust(org.post("/api/v1/webhooks", json={"url": receiver.url}).json()["secret"])
        receiver.resets = RESETS
        faults = [
            first.kill,
            lambda: flush(broker),
            second.kill,
            server.restart,
            lambda: restart(broker),
        ]
        with Changes(served, org, wanted=CHANGES) as changes:
            made = break_often(faults, changes)
        expected = committed(served, org)
        assert receiver.wait_until(lambda: receiver.ids >= expected.keys(), PATIENCE)
        check(receiver, committed(served, org))
    record_property("events", len(receiver.ids))
    record_property("deliveries", len(receiver.taken))
    record_property("faults", made)
    record_property("refused", changes.refused)
    assert made >= FAULTS
    assert changes.refused > CHANGES // 100


def break_often(faults: Sequence[Callable[[], object]], changes: Changes) -> int:
    """Make one fault after the other, from now on until the changes are made; count them."""
    made = 0
    while not changes.done.wait(PAUSE) or made < FAULTS:
        faults[made % len(faults)]()
        made += 1
    return made


def flush(broker: Redis) -> None:
    """Have Redis forget everything."""
    with redis.Redis.from_url(broker.url) as client:
        client.flushall()


def restart(broker: Redis) -> None:
    """Kill Redis and start it again, empty."""
    broker.kill()
    broker.resume()


def committed(served: Served, org: Org) -> dict[str, int | None]:
    """Give the events of the changes that were committed, with their sequences."""
    with served.application.storage.read(org.id) as tx:
        return dict(tx.all(_TOLD_EVENTS))


def check(receiver: WebhookReceiver, expected: dict[str, int | None]) -> None:
    """Hold what has arrived against what was committed."""
    bodies: dict[str, set[bytes]] = {}
    for delivered in receiver.taken:
        assert delivered.id == delivered.event["id"]
        bodies.setdefault(delivered.id, set()).add(delivered.body)
    assert expected.keys() - bodies.keys() == set(), "events were lost"
    assert bodies.keys() - expected.keys() == set(), "events of nothing that was committed"
    assert {len(each) for each in bodies.values()} == {1}, "one id with two bodies"
    assert receiver.refused == []
    assert len(expected) >= CHANGES
    sequences = sorted(number for number in expected.values() if number is not None)
    assert len(sequences) == len(expected)
    assert sequences == list(range(sequences[0], sequences[0] + len(sequences)))
