"""Connections that are lent, lost while they are, and lent again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest
from sqlalchemy import make_url

from ipcraft.plugin import Metrics, Unavailable
from ipcraft.testing.services import FaultProxy, PostgreSQL
from ipcraft_postgresql.leases import Leases
from ipcraft_postgresql.links import Link

HELLO = [("SELECT 1", ())]


@dataclass(frozen=True, slots=True)
class Ground:
    """Hold the leases of a database that is reached through a proxy."""

    leases: Leases
    proxy: FaultProxy
    metrics: Metrics


@pytest.fixture
def ground(postgresql: PostgreSQL) -> Iterator[Ground]:
    """Lend two connections at most, and wait for one a tenth of a second."""
    database, metrics = postgresql.create_database(), Metrics()
    with FaultProxy(postgresql.host, postgresql.port) as proxy:
        url = make_url(proxy.url(database)).set(drivername="postgresql")
        address = url.render_as_string(hide_password=False)
        leases = Leases(
            lambda: Link.connect(address, autocommit=True), most=2, timeout=0.1, metrics=metrics
        )
        yield Ground(leases, proxy, metrics)
        leases.close()
    postgresql.drop_database(database)


def test_the_last_one_given_back_is_lent_first(ground: Ground) -> None:
    """Its backend still has at hand what it needs."""
    with ground.leases.lend() as first, ground.leases.lend() as second:
        links = first.link, second.link
    with ground.leases.lend() as lease:
        assert lease.link is links[0]  # `first` was entered first, and so left last
    with ground.leases.lend() as lease:
        assert lease.link is links[0]


def test_a_connection_is_lent_to_one_at_a_time(ground: Ground) -> None:
    """Who finds none within the time gets the sentence that says so."""
    with ground.leases.lend() as first, ground.leases.lend() as second:
        assert first.link is not second.link
        with pytest.raises(Unavailable, match="no connection to the database within the time"):
            ground.leases.lend().__enter__()


def test_waiting_for_a_connection_is_told(ground: Ground) -> None:
    """How often work waited, for how long, and how often in vain; what is lent is known."""
    measured = ground.metrics.begin()
    with ground.leases.lend(), ground.leases.lend():
        assert (ground.leases.lent, ground.leases.idle, ground.leases.most) == (2, 0, 2)
        waited = measured.get_sample_value("ipcraft_database_wait_seconds_total") or 0.0
        with pytest.raises(Unavailable):
            ground.leases.lend().__enter__()
    assert (ground.leases.lent, ground.leases.idle) == (0, 2)
    assert measured.get_sample_value("ipcraft_database_timeouts_total") == 1
    longer = measured.get_sample_value("ipcraft_database_wait_seconds_total") or 0.0
    assert longer - waited >= 0.1
    waits = measured.get_sample_value("ipcraft_database_waits_total") or 0
    with ground.leases.lend():
        assert measured.get_sample_value("ipcraft_database_waits_total") == waits


def test_a_connection_comes_back_in_no_transaction(ground: Ground) -> None:
    """What an error left open is rolled back before the next one has it."""
    with ground.leases.lend() as lease:
        lease.begin([("BEGIN", ()), ("CREATE TABLE left_open (n INT)", ())])
    with ground.leases.lend() as lease:
        [found] = lease.begin([("SELECT to_regclass('left_open') IS NULL", ())])
        assert lease.link.rows(found) == [(True,)]


def test_a_dropped_connection_is_replaced(ground: Ground) -> None:
    """The server may have restarted since: no request fails for that."""
    with ground.leases.lend() as first, ground.leases.lend() as second:
        first.begin(HELLO)
        second.begin(HELLO)
    ground.proxy.down()
    ground.proxy.heal()
    with ground.leases.lend() as lease:
        [found] = lease.begin(HELLO)
        assert lease.link.rows(found) == [(1,)]


def test_a_lost_connection_is_given_back_once(ground: Ground) -> None:
    """Where no other can be had the lease ends in peace, and the reason is what is raised."""
    with ground.leases.lend() as lease:
        lease.begin(HELLO)
        ground.proxy.down()
        with pytest.raises(psycopg.OperationalError):
            lease.begin(HELLO)
    ground.proxy.heal()
    with ground.leases.lend() as first, ground.leases.lend() as second:
        first.begin(HELLO)
        second.begin(HELLO)
        with pytest.raises(Unavailable):
            ground.leases.lend().__enter__()


def test_a_connection_that_cannot_be_made_takes_no_place(ground: Ground) -> None:
    """However often it fails, there are as many as before when the server is back."""
    ground.proxy.down()
    for _ in range(3):
        with pytest.raises(psycopg.OperationalError):
            ground.leases.lend().__enter__()
    ground.proxy.heal()
    with ground.leases.lend() as first, ground.leases.lend() as second:
        first.begin(HELLO)
        second.begin(HELLO)


def test_after_the_end_none_is_lent_and_none_stays_open(ground: Ground) -> None:
    """Who has one to the end may finish with it; then it is closed."""
    with ground.leases.lend() as lease:
        ground.leases.close()
        lease.begin(HELLO)
        with pytest.raises(Unavailable, match="closed in this process"):
            ground.leases.lend().__enter__()
    assert lease.link.closed
