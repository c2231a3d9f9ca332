"""Each organization's events are counted, after their commit."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from ipcraft.events import sequences
from ipcraft.events.sequences import AT_ONCE, REST, NothingToCount, Sequencer
from ipcraft.events.tables import event_streams, events
from ipcraft.plugin import Application, Invalid, Statement, Transaction, Unavailable, new_id
from ipcraft.testing import make_application, make_organization
from ipcraft.testing.services import PostgreSQL

from .conftest import Choosy, Make, Memory, Way, record, stored

MADE_WITH_AN_ORGANIZATION = 3
IDS = Statement(select(events.c.id).where(events.c.type == "folder.created"), str)
STREAMS = Statement(select(event_streams.c.organization_id), str)


def test_events_are_counted_one_by_one(application: Application, way: Way) -> None:
    """An organization's events have the sequences 1, 2, 3; each organization its own."""
    organizations = [make_organization(application).id for _ in range(3)]
    for organization_id in organizations:
        application.storage.transact(organization_id, lambda tx: record(tx, 4))
    way.count()
    for organization_id in organizations:
        found = [event.sequence for event in stored(application, organization_id)]
        assert found == list(range(1, MADE_WITH_AN_ORGANIZATION + 4 + 1))


def test_an_event_is_not_seen_before_it_is_counted(application: Application, way: Way) -> None:
    """Who reads on from a sequence never misses one that comes later with a lower one."""
    organization_id = make_organization(application).id
    assert stored(application, organization_id) == []
    way.count()
    assert len(stored(application, organization_id)) == MADE_WITH_AN_ORGANIZATION


def test_events_of_one_transaction_keep_their_order(application: Application, way: Way) -> None:
    """Also when there are more than are counted at once."""
    organization_id = make_organization(application).id
    total = 2 * AT_ONCE + 1
    application.storage.transact(organization_id, lambda tx: record(tx, total))
    way.count()
    labels = [event.label for event in stored(application, organization_id)]
    assert labels[MADE_WITH_AN_ORGANIZATION:] == [str(number) for number in range(total)]


def test_what_was_written_after_a_commit_comes_after_it(
    application: Application, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the writers' clocks say: identifiers that go backwards do not change the order."""
    organization_id = make_organization(application).id
    way.count()
    ids = sorted(new_id("evt") for _ in range(20))
    monkeypatch.setattr("ipcraft.events.recording.new_id", lambda prefix: ids.pop())
    for number in range(20):
        application.storage.transact(organization_id, partial(record, count=1, start=number))
    way.count()
    labels = [event.label for event in stored(application, organization_id)]
    assert labels[MADE_WITH_AN_ORGANIZATION:] == [str(number) for number in range(20)]


def test_what_was_rolled_back_is_not_counted(application: Application, way: Way) -> None:
    """There is no event of it, and no gap where it would have been."""
    organization_id = make_organization(application).id

    def work(tx: Transaction) -> None:
        record(tx, 3)
        tx.settle()
        raise Invalid("no")

    with pytest.raises(Invalid):
        application.storage.transact(organization_id, work)
    application.storage.transact(organization_id, lambda tx: record(tx, 1))
    way.count()
    found = [event.sequence for event in stored(application, organization_id)]
    assert found == list(range(1, MADE_WITH_AN_ORGANIZATION + 2))


def test_what_was_begun_earlier_and_comes_later_is_counted_in_its_turn(
    postgresql: PostgreSQL, make: Make, sink: Memory
) -> None:
    """Who counts looks only at what can be new; that is not what was written last.

    On SQLite writers do not overlap.
    """
    url = postgresql.create_database()
    app = make_application(url)
    way = make(sink, app=app)
    organization_id = make_organization(app).id
    way.count()

    def late(tx: Transaction) -> None:
        record(tx, 1)
        tx.rehearse()  # it is written, and not yet committed
        app.storage.transact(organization_id, lambda other: record(other, 1, start=1))
        way.count()
        app.storage.transact(organization_id, lambda other: record(other, 1, start=2))

    app.storage.transact(organization_id, late)
    way.sequencer.run()
    labels = [event.label for event in stored(app, organization_id)]
    assert labels[MADE_WITH_AN_ORGANIZATION:] == ["1", "0", "2"]
    app.close()
    postgresql.drop_database(url)


def test_a_count_that_is_not_committed_was_none(
    application: Application, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next one finds the same events, before those that have come since."""
    organization_id = make_organization(application).id
    way.count()
    application.storage.transact(organization_id, lambda tx: record(tx, 1))
    with monkeypatch.context() as patched:
        count = way.sequencer._count

        def cut(tx: Transaction) -> None:
            count(tx)
            raise Unavailable("the database is away")

        patched.setattr(way.sequencer, "_count", cut)
        with pytest.raises(Unavailable):
            way.sequencer.run()
    application.storage.transact(organization_id, lambda tx: record(tx, 1, start=1))
    way.sequencer.run()
    labels = [event.label for event in stored(application, organization_id)]
    assert labels[MADE_WITH_AN_ORGANIZATION:] == ["0", "1"]


def test_four_count_while_sixteen_write(application: Application, make: Make, sink: Memory) -> None:
    """No event is lost, none has two sequences, no sequence is left out."""
    organizations = [make_organization(application).id for _ in range(3)]
    written, each = threading.Event(), 15

    def write(number: int) -> None:
        for _ in range(each):
            organization_id = organizations[number % len(organizations)]
            application.storage.transact(organization_id, lambda tx: record(tx, 1 + number % 3))

    def count(way: Way) -> None:
        while not written.is_set():
            way.sequencer.run()
        way.count()

    with ThreadPoolExecutor(4) as counters:
        counting = [counters.submit(count, make(sink)) for _ in range(4)]
        with ThreadPoolExecutor(16) as writers:
            list(writers.map(write, range(16)))
        written.set()
        for each_one in counting:
            each_one.result()
    with application.storage.read_system() as tx:
        recorded = set(tx.all(IDS))
    seen = []
    for organization_id in organizations:
        found = stored(application, organization_id)
        assert [event.sequence for event in found] == list(range(1, len(found) + 1))
        seen += [event.id for event in found if event.type == "folder.created"]
    assert len(seen) == sum(each * (1 + number % 3) for number in range(16))
    assert set(seen) == recorded


def test_a_flood_leaves_the_others_their_turn(application: Application, way: Way) -> None:
    """One look counts some of everybody's events, however many one organization has."""
    flooding, quiet = sorted(make_organization(application).id for _ in range(2))
    application.storage.transact(flooding, lambda tx: record(tx, 3 * AT_ONCE))
    way.sequencer.run()
    assert len(stored(application, flooding)) == AT_ONCE
    assert len(stored(application, quiet)) == MADE_WITH_AN_ORGANIZATION


def test_what_was_committed_here_is_counted_without_a_look(
    application: Application, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking for what waits costs more than to count it."""
    organization_id = make_organization(application).id
    way.count()
    looks: list[str] = []
    monkeypatch.setattr(way.sequencer, "_next", looks.append)
    application.storage.transact(organization_id, lambda tx: record(tx, 2))
    way.sequencer.run()
    assert len(stored(application, organization_id)) == MADE_WITH_AN_ORGANIZATION + 2
    assert looks == []
    way.sequencer.run()
    assert looks == [""]


def test_who_has_had_a_turn_rests_while_no_sink_wants_its_events(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written meanwhile is counted together, when the rest is over."""
    sink = Choosy()
    sequencer = Sequencer(
        application.storage,
        sinks=[sink],
        clock=application.clock,
        fresh=application._fresh,
        rest=REST,
        tell=lambda: None,
    )
    now, pause = 1000.0, 0.0
    monkeypatch.setattr(sequences, "time", SimpleNamespace(monotonic=lambda: now))
    organization_id = make_organization(application).id

    def count() -> int:
        nonlocal pause
        pause = sequencer.run()
        return len(stored(application, organization_id)) - MADE_WITH_AN_ORGANIZATION

    def count_one_more() -> int:
        application.storage.transact(organization_id, lambda tx: record(tx, 1))
        return count()

    assert count_one_more() == 1
    now += 0.1
    assert count_one_more() == 1
    assert pause == pytest.approx(REST - 0.1)
    with monkeypatch.context() as patched:
        patched.setattr(sequencer, "_next", lambda after: None)
        now += REST
        assert count() == 2, "it is remembered, not looked for"
    application.storage.transact(organization_id, lambda tx: record(tx, 1))
    application._fresh.clear()
    assert count() == 2, "nor is it counted by who looks for it"
    now += REST
    assert count() == 3
    sink.wanted = {organization_id}
    now += REST
    assert [count_one_more() for _ in range(3)] == [4, 5, 6]


def test_what_is_too_much_for_one_turn_is_counted_without_a_rest(
    application: Application,
) -> None:
    """Only who has had all of it counted rests."""
    sequencer = Sequencer(
        application.storage,
        sinks=[],
        clock=application.clock,
        fresh=application._fresh,
        rest=REST,
        tell=lambda: None,
    )
    organization_id = make_organization(application).id
    application.storage.transact(organization_id, lambda tx: record(tx, 2 * AT_ONCE))
    assert [sequencer.run(), sequencer.run()] == [0.0, 0.0]
    sequencer.run()
    assert len(stored(application, organization_id)) == MADE_WITH_AN_ORGANIZATION + 2 * AT_ONCE


def test_what_another_process_has_committed_is_looked_for(
    application: Application, way: Way
) -> None:
    """Nobody tells of it."""
    organization_id = make_organization(application).id
    application._fresh.clear()
    way.count()
    assert len(stored(application, organization_id)) == MADE_WITH_AN_ORGANIZATION


def test_an_organization_that_somebody_else_counts_is_not_forgotten(
    application: Application, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came too late for the other one is counted in the next turn."""
    organization_id = make_organization(application).id
    with monkeypatch.context() as patched:
        patched.setattr(way.sequencer, "_take", lambda tx: None)
        way.sequencer.run()
    monkeypatch.setattr(way.sequencer, "_next", lambda after: None)
    way.sequencer.run()
    assert len(stored(application, organization_id)) == MADE_WITH_AN_ORGANIZATION


def test_an_erased_organization_is_not_counted(application: Application, way: Way) -> None:
    """Nothing is left of it, also when somebody was about to count its events."""
    organization_id = make_organization(application).id
    application.storage.transact(organization_id, application.erase)
    with pytest.raises(NothingToCount):
        application.storage.transact(organization_id, way.sequencer._count)
    way.count()
    with application.storage.read_system() as tx:
        assert organization_id not in tx.all(STREAMS)
