"""What has changed since a moment: each change once, whoever writes and counts meanwhile."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from sqlalchemy import select

from ipcraft.events.moments import MOMENT, Moment, Since, changes_since
from ipcraft.events.retention import delete_events
from ipcraft.plugin import Application, Statement
from ipcraft.testing import make_organization

from .conftest import Way, record

NOW = Statement(select(*MOMENT), Moment.of)
MANY = 1_000_000


@pytest.fixture
def organization_id(application: Application) -> str:
    """Make an organization that nothing but its making has happened in."""
    return make_organization(application).id


def now(app: Application, organization_id: str) -> Moment:
    """Give the moment."""
    with app.storage.look(organization_id) as reader:
        found = reader.one(NOW)
    assert found is not None
    return found


def since(
    app: Application, organization_id: str, moment: Moment, *, most: int = MANY
) -> Since | None:
    """Give what has changed since then."""
    with app.storage.look(organization_id) as reader:
        return changes_since(reader, moment, most=most)


def change(app: Application, organization_id: str, count: int, *, start: int = 0) -> None:
    """Have so many changes made in one transaction."""
    app.storage.transact(organization_id, partial(record, count=count, start=start))


def labels(found: Since | None) -> list[int]:
    """Give the numbers of what `record` recorded."""
    assert found is not None
    return sorted(int(change.label) for change in found.changes)


def test_nothing_has_changed(application: Application, way: Way, organization_id: str) -> None:
    """Neither with events that wait for their sequence, nor when they get it."""
    moment = now(application, organization_id)
    assert len(moment.waiting) == 3
    assert since(application, organization_id, moment) == Since([], moment)
    way.count()
    later = since(application, organization_id, moment)
    assert later is not None
    assert later.changes == []
    assert (later.moment.last, later.moment.waiting) == (3, frozenset())


def test_a_change_comes_once(application: Application, way: Way, organization_id: str) -> None:
    """Whether it has a sequence at the one moment, at the other, at both or at neither."""
    moment = now(application, organization_id)
    seen = []
    for number in range(8):
        change(application, organization_id, 1, start=number)
        if number in {1, 2, 5}:
            way.count()
        if number % 2:
            found = since(application, organization_id, moment)
            assert found is not None
            seen.append(labels(found))
            moment = found.moment
    assert seen == [[0, 1], [2, 3], [4, 5], [6, 7]]
    way.count()
    assert labels(since(application, organization_id, moment)) == []


def test_a_change_is_as_it_was_recorded(application: Application, organization_id: str) -> None:
    """With its type, its resource and its words."""
    moment = now(application, organization_id)
    change(application, organization_id, 1)
    found = since(application, organization_id, moment)
    assert found is not None
    [only] = found.changes
    assert (only.type, only.resource_id) == ("folder.created", "sec_0")
    assert (only.details, only.data) == ("Made 0", {})


@pytest.mark.parametrize("is_counted", [True, False])
def test_too_many_changes_are_not_read(
    application: Application,
    way: Way,
    organization_id: str,
    is_counted: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """As many as are asked for are given, one more is too many."""
    way.count()
    moment = now(application, organization_id)
    change(application, organization_id, 5)
    if is_counted:
        way.count()
    assert labels(since(application, organization_id, moment, most=5)) == [0, 1, 2, 3, 4]
    assert since(application, organization_id, moment, most=4) is None


def test_too_many_in_two_parts(application: Application, way: Way, organization_id: str) -> None:
    """Those with a sequence and those without are counted together."""
    way.count()
    moment = now(application, organization_id)
    for start in (0, 3):
        change(application, organization_id, 3, start=start)
        if not start:
            way.count()
    assert since(application, organization_id, moment, most=5) is None
    assert since(application, organization_id, moment, most=6) is not None


def test_what_was_removed_may_have_been_a_change(
    application: Application, way: Way, organization_id: str
) -> None:
    """Since retention has removed events nobody can tell what has changed."""
    moment = now(application, organization_id)
    way.count()

    def remove(*, before: int) -> None:
        application.storage.transact(
            organization_id, lambda tx: delete_events(tx, before=before, sinks=[])
        )

    remove(before=0)
    assert since(application, organization_id, moment) is not None
    remove(before=1 << 40)
    assert since(application, organization_id, moment) is None
    later = now(application, organization_id)
    change(application, organization_id, 1)
    assert labels(since(application, organization_id, later)) == [0]


def test_a_transaction_may_be_older_than_the_moment(
    application: Application, organization_id: str
) -> None:
    """It does not see the change that the moment has seen, and would have it come again."""
    with application.storage.read(organization_id) as tx, ThreadPoolExecutor(1) as other:
        assert tx.one(NOW) is not None
        other.submit(change, application, organization_id, 1).result()
        moment = other.submit(now, application, organization_id).result()
        assert tx.one(NOW) != moment
        assert changes_since(tx, moment, most=MANY) is None
    assert labels(since(application, organization_id, moment)) == []


def test_another_organization_has_its_own(
    application: Application, way: Way, organization_id: str
) -> None:
    """Its changes are not seen, and its counting does not matter."""
    moment = now(application, organization_id)
    other = make_organization(application).id
    change(application, other, 2)
    assert labels(since(application, organization_id, moment)) == []
    way.count()
    change(application, other, 2)
    assert labels(since(application, organization_id, moment)) == []


def test_writers_and_counting_go_on(
    application: Application, way: Way, organization_id: str
) -> None:
    """A long transaction that began before the moment and ends after it is no exception."""
    writers, each = 4, 25
    moment = now(application, organization_id)
    seen: list[int] = []
    over = threading.Event()

    def look() -> None:
        nonlocal moment
        found = since(application, organization_id, moment)
        assert found is not None
        seen.extend(labels(found))
        moment = found.moment

    def write(writer: int) -> None:
        for number in range(each):
            start = 10 * (writer * each + number)
            change(application, organization_id, 1 + start % 7, start=start)

    def count() -> None:
        while not over.is_set():
            way.sequencer.run()

    with ThreadPoolExecutor(writers + 1) as threads:
        counting = threads.submit(count)
        writing = [threads.submit(write, writer) for writer in range(writers)]
        while not all(future.done() for future in writing):
            look()
        over.set()
        counting.result(30)
        for future in writing:
            future.result()
    look()
    expected = [
        10 * number + offset
        for number in range(writers * each)
        for offset in range(1 + 10 * number % 7)
    ]
    assert sorted(seen) == expected
