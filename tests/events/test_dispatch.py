"""Events are taken to sinks: at least once, in order, each organization's for itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from sqlalchemy import select

from ipcraft.events.dispatch import AT_ONCE, HANDS
from ipcraft.events.tables import event_positions
from ipcraft.plugin import Application, Postponed, Statement
from ipcraft.testing import Clock, make_application, make_organization

from .conftest import Choosy, Make, Memory, Way, record

MADE_WITH_AN_ORGANIZATION = 3
POSITIONS = Statement(
    select(
        event_positions.c.organization_id,
        event_positions.c.position,
        event_positions.c.failures,
        event_positions.c.reason,
    )
)


def write(app: Application, organization_id: str, count: int) -> None:
    """Record so many changes, in one transaction."""
    app.storage.transact(organization_id, lambda tx: record(tx, count))


def until(condition: Callable[[], bool], way: Way) -> None:
    """Take on what is due until it is so."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        way.take()


def test_a_sink_gets_every_event_in_order(application: Application, way: Way, sink: Memory) -> None:
    """Batch by batch, and nothing twice."""
    organization_id = make_organization(application).id
    write(application, organization_id, 2 * AT_ONCE)
    way.count()
    total = MADE_WITH_AN_ORGANIZATION + 2 * AT_ONCE
    until(lambda: len(sink.taken) >= total, way)
    way.take()
    assert sink.sequences() == {organization_id: list(range(1, total + 1))}


def test_an_event_is_told_with_all_that_is_known(
    application: Application, way: Way, sink: Memory, clock: Clock
) -> None:
    """Who, what, where, when, and on behalf of which request."""
    organization = make_organization(application)
    answer = organization.client.post(
        "/api/v1/sections", json={"name": "Lab"}, headers={"X-Request-Id": "req-7"}
    )
    way.count()
    way.take()
    event = sink.taken[-1]
    assert event.type == "folder.created"
    assert event.resource_type == "folder"
    assert event.resource_id == answer.json["id"]
    assert event.organization_id == organization.id
    assert event.actor == organization.user_id
    assert event.request_id == "req-7"
    assert event.created_at == int(clock())
    assert event.label == "Lab"
    assert event.data["name"] == "Lab"


def test_a_new_sink_begins_with_what_comes_then(
    application: Application, make: Make, way: Way, sink: Memory
) -> None:
    """What was counted before anybody had heard of it is not taken to it."""
    organization_id = make_organization(application).id
    way.count()
    late = Memory("late")
    later = make(late)
    later.take()
    assert late.taken == []
    write(application, organization_id, 1)
    later.count()
    later.take()
    way.take()
    first = MADE_WITH_AN_ORGANIZATION + 1
    assert late.sequences() == {organization_id: [first]}
    assert sink.sequences() == {organization_id: list(range(1, first + 1))}


def test_a_sink_that_fails_is_offered_the_same_again(
    application: Application, way: Way, sink: Memory, clock: Clock
) -> None:
    """After a pause that grows; the reason is kept, and other organizations go on."""
    failing, well = make_organization(application).id, make_organization(application).id
    sink.refused.add(failing)
    way.count()
    way.take()
    assert list(sink.sequences()) == [well]
    for failures, pause in enumerate((1, 2, 4), start=1):
        assert (failing, 0, failures, "RuntimeError: not these") in positions(application)
        before = sink.entered
        way.take()
        assert sink.entered is before
        clock.advance(seconds=pause + 1)
        way.take()
    sink.refused.clear()
    clock.advance(seconds=10)
    way.take()
    assert sink.sequences()[failing] == list(range(1, MADE_WITH_AN_ORGANIZATION + 1))
    assert (failing, MADE_WITH_AN_ORGANIZATION, 0, None) in positions(application)


def test_a_pause_is_kept(application: Application, way: Way, sink: Memory, clock: Clock) -> None:
    """Nothing is offered before it is over."""
    sink.refused.add(make_organization(application).id)
    way.count()
    way.take()
    assert sink.entered.acquire(blocking=False)
    clock.advance(seconds=0.9)
    way.take()
    assert not sink.entered.acquire(blocking=False)


def test_what_a_sink_has_taken_does_not_come_again(
    application: Application, way: Way, sink: Memory, clock: Clock
) -> None:
    """It says how many of the first events it took before it had to stop."""
    organization_id = make_organization(application).id
    sink.postponed.append(Postponed("full", taken=2))
    way.count()
    way.take()
    assert (organization_id, 2, 1, "full") in positions(application)
    clock.advance(seconds=3)
    way.take()
    assert sink.sequences() == {organization_id: [1, 2, 3]}
    assert (organization_id, MADE_WITH_AN_ORGANIZATION, 0, None) in positions(application)


def test_a_sink_that_goes_on_does_not_wait_longer_and_longer(
    application: Application, way: Way, sink: Memory, clock: Clock
) -> None:
    """The pause grows with failures in a row, and taking something ends the row."""
    organization_id = make_organization(application).id
    sink.postponed.extend([Postponed("full")] * 5 + [Postponed("full", taken=1)])
    way.count()
    for failures in range(1, 6):
        way.take()
        assert (organization_id, 0, failures, "full") in positions(application)
        clock.advance(seconds=2**failures)
    way.take()
    assert (organization_id, 1, 1, "full") in positions(application)


@pytest.mark.parametrize(("wish", "pause"), [(0.0, 1), (7.0, 7), (90.0, 90), (1e9, 3600)])
def test_a_sink_says_when_it_is_offered_events_again(
    application: Application, way: Way, sink: Memory, clock: Clock, wish: float, pause: int
) -> None:
    """Not before and not after, within a second and an hour."""
    make_organization(application)
    sink.postponed.append(Postponed("slowly", seconds=wish))
    way.count()
    way.take()
    clock.advance(seconds=pause - 0.1)
    way.take()
    assert sink.taken == []
    clock.advance(seconds=0.1)
    way.take()
    assert len(sink.taken) == MADE_WITH_AN_ORGANIZATION


def test_a_sink_is_told_that_its_process_ends(
    application: Application, way: Way, sink: Memory
) -> None:
    """After the deliveries that are under way, so that it can let go of what it holds open."""
    make_organization(application)
    way.count()
    sink.open.clear()
    way.dispatcher.run()
    assert sink.entered.acquire(timeout=30)
    closing = threading.Thread(target=way.dispatcher.close)
    closing.start()
    assert sink.closed == 0
    sink.open.set()
    closing.join(30)
    assert (len(sink.taken), sink.closed) == (MADE_WITH_AN_ORGANIZATION, 1)


def test_events_that_a_sink_has_no_use_for_are_not_read(
    application: Application, make: Make
) -> None:
    """They count as taken: what happens once it has a use for them is the first that comes."""
    sink = Choosy()
    way = make(sink)
    organization_id = make_organization(application).id
    way.count()
    way.take()
    assert positions(application) == [(organization_id, MADE_WITH_AN_ORGANIZATION, 0, None)]
    sink.wanted.add(organization_id)
    write(application, organization_id, 2)
    way.count()
    way.take()
    assert sink.sequences() == {organization_id: [4, 5]}


def test_a_sink_may_lose_its_use_for_events(application: Application, make: Make) -> None:
    """What it wanted when they were counted, and does not want any more, is not read either."""
    sink = Choosy()
    way = make(sink)
    organization_id = make_organization(application).id
    sink.wanted.add(organization_id)
    way.count()
    sink.wanted.clear()
    write(application, organization_id, 1)
    way.count()
    counted = MADE_WITH_AN_ORGANIZATION + 1
    assert positions(application) == [(organization_id, 0, 0, None)]
    way.take()
    assert positions(application) == [(organization_id, counted, 0, None)]
    assert sink.taken == []


def test_what_nobody_wants_wakes_nobody(application: Application, make: Make) -> None:
    """Where there is no webhook, nothing is taken and nothing is looked for."""
    sink = Choosy()
    way = make(sink)
    organization_id = make_organization(application).id
    for number in (0, 1):
        write(application, organization_id, number)
        way.count()
        assert not way.wakes.acquire(blocking=False)
        counted = MADE_WITH_AN_ORGANIZATION + number
        assert positions(application) == [(organization_id, counted, 0, None)]
    sink.wanted.add(organization_id)
    write(application, organization_id, 1)
    way.count()
    assert way.wakes.acquire(blocking=False)


def test_a_sink_that_cannot_tell_what_it_wants(application: Application, make: Make) -> None:
    """Events are counted all the same; it is asked again when they are taken to it."""
    sink = Choosy()
    way = make(sink)
    organization_id = make_organization(application).id
    sink.is_broken = True
    way.count()
    assert way.wakes.acquire(blocking=False)
    sink.is_broken = False
    sink.wanted.add(organization_id)
    way.take()
    assert sink.sequences() == {organization_id: [1, 2, 3]}


def test_one_organization_is_in_one_hand_at_a_time(
    application: Application, make: Make, sink: Memory
) -> None:
    """However many processes there are: so the order holds."""
    make_organization(application)
    processes = [make(sink) for _ in range(4)]
    processes[0].count()
    sink.open.clear()
    for process in processes:
        process.dispatcher.run()
    assert sink.entered.acquire(timeout=30)
    assert not sink.entered.acquire(timeout=0.2)
    sink.open.set()
    for process in processes:
        process.dispatcher.close()
    assert [event.sequence for event in sink.taken] == [1, 2, 3]


def test_a_slow_organization_holds_up_no_other(
    application: Application, way: Way, sink: Memory
) -> None:
    """As long as there is a free hand; one process has several."""
    slow = make_organization(application).id
    way.count()
    sink.open.clear()
    way.dispatcher.run()
    assert sink.entered.acquire(timeout=30)
    quick = make_organization(application).id
    way.count()
    gate, sink.open = sink.open, threading.Event()
    sink.open.set()
    deadline = time.monotonic() + 30
    while quick not in sink.sequences():
        assert time.monotonic() < deadline
        way.dispatcher.run()
    assert slow not in sink.sequences()
    gate.set()
    way.dispatcher.close()
    assert slow in sink.sequences()


def test_a_slow_sink_holds_up_no_other(application: Application, make: Make, sink: Memory) -> None:
    """Each sink has its own position and its own hands."""
    other = Memory("other")
    slow, quick = make(sink), make(other)
    make_organization(application)
    slow.count()
    quick.count()
    write(application, make_organization(application).id, 1)
    quick.count()
    sink.open.clear()
    slow.dispatcher.run()
    quick.take()
    assert len(other.taken) == MADE_WITH_AN_ORGANIZATION + 1
    assert sink.taken == []
    sink.open.set()
    slow.dispatcher.close()


def test_a_process_has_so_many_hands(application: Application, way: Way, sink: Memory) -> None:
    """No more organizations than that are taken on at once."""
    for _ in range(HANDS + 2):
        make_organization(application)
    way.count()
    sink.open.clear()
    way.dispatcher.run()
    way.dispatcher.run()
    for _ in range(HANDS):
        assert sink.entered.acquire(timeout=30)
    assert not sink.entered.acquire(timeout=0.2)
    sink.open.set()
    way.dispatcher.close()
    way.take()
    assert len(sink.sequences()) == HANDS + 2


def test_a_flood_does_not_starve_the_few(application: Application, way: Way, sink: Memory) -> None:
    """After one batch of the flood everybody else has a turn, before the next batch."""
    flooding = make_organization(application).id
    write(application, flooding, 20 * AT_ONCE)
    few = [make_organization(application).id for _ in range(2 * HANDS)]
    way.count()
    for _ in range(3):
        way.take()
    found = sink.sequences()
    assert all(organization_id in found for organization_id in few)
    assert len(found[flooding]) <= 3 * AT_ONCE


def test_a_dead_dispatchers_work_is_taken_up(
    application: Application, make: Make, sink: Memory, clock: Clock
) -> None:
    """When its lease has ended, and not before; what it had begun is offered again."""
    organization_id = make_organization(application).id
    dead, alive = make(Memory()), make(sink)
    dead.count()
    assert len(dead.dispatcher._take(1)) == 1
    clock.advance(seconds=29.9)
    alive.take()
    assert sink.taken == []
    clock.advance(seconds=0.1)
    alive.take()
    assert sink.sequences() == {organization_id: [1, 2, 3]}


def test_a_lease_is_renewed_while_the_sink_is_at_it(
    application: Application, make: Make, sink: Memory, clock: Clock
) -> None:
    """A sink may take longer than a lease lasts; nobody else takes its work meanwhile."""
    make_organization(application)
    slow, other = make(sink, lease=0.3), make(Memory())
    slow.count()
    sink.open.clear()
    slow.dispatcher.run()
    assert sink.entered.acquire(timeout=30)
    for _ in range(5):
        threading.Event().wait(0.11)
        slow.dispatcher.run()
        clock.advance(seconds=0.2)
        assert other.dispatcher._take(1) == []
    sink.open.set()
    slow.dispatcher.close()
    assert len(sink.taken) == MADE_WITH_AN_ORGANIZATION


def test_who_lost_the_lease_moves_nothing(
    application: Application, make: Make, sink: Memory, clock: Clock
) -> None:
    """A hand that comes back late does not overwrite what another has reached."""
    organization_id = make_organization(application).id
    late, other = make(sink), make(Memory())
    late.count()
    sink.open.clear()
    late.dispatcher.run()
    assert sink.entered.acquire(timeout=30)
    clock.advance(seconds=31)
    write(application, organization_id, 1)
    other.count()
    other.take()
    sink.open.set()
    late.dispatcher.close()
    assert (organization_id, MADE_WITH_AN_ORGANIZATION + 1, 0, None) in positions(application)


def test_events_that_come_meanwhile_are_not_forgotten(
    application: Application, way: Way, sink: Memory
) -> None:
    """What is counted while a sink is at an organization's events is taken next."""
    organization_id = make_organization(application).id
    way.count()
    sink.open.clear()
    way.dispatcher.run()
    assert sink.entered.acquire(timeout=30)
    write(application, organization_id, 2)
    way.count()
    sink.open.set()
    way.dispatcher.close()
    way.take()
    assert sink.sequences() == {organization_id: [1, 2, 3, 4, 5]}


def test_an_erased_organizations_events_are_taken_nowhere(
    application: Application, way: Way, sink: Memory
) -> None:
    """Its position is gone as well."""
    organization_id = make_organization(application).id
    way.count()
    application.storage.transact(organization_id, application.erase)
    way.take()
    assert sink.taken == []
    assert positions(application) == []


def test_a_note_that_cannot_be_made_loses_nothing(
    application: Application, make: Make, sink: Memory, clock: Clock
) -> None:
    """A sink took the events and the database was away then: they are offered again."""
    organization_id = make_organization(application).id
    dying = make_application(application.settings.database_url, clock=clock)
    way, other = make(sink, app=dying), make(sink)
    way.count()
    sink.open.clear()
    way.dispatcher.run()
    assert sink.entered.acquire(timeout=30)
    dying.close()
    sink.open.set()
    way.dispatcher.close()
    clock.advance(seconds=31)
    other.take()
    assert sink.sequences() == {organization_id: [1, 2, 3, 1, 2, 3]}


def positions(app: Application) -> list[tuple[object, ...]]:
    """Give how far the sinks have come."""
    with app.storage.read_system() as tx:
        return tx.all(POSITIONS)
