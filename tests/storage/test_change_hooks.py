"""Plugins around a change: they may veto it, and add to it in its own transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import insert, select

from ipcraft.app import Application
from ipcraft.contributions import Storage
from ipcraft.data.migrations import CORE
from ipcraft.data.statements import Statement, own
from ipcraft.data.transactions import Transaction
from ipcraft.errors import Forbidden, Unavailable
from ipcraft.events.changes import Change
from ipcraft.events.recording import Recorder
from ipcraft.events.tables import events
from ipcraft.testing.organizations import Organization
from ipcraft_ipam.tables import sections
from ipcraft_postgresql.storage import PostgreSQLBackend
from ipcraft_sqlite.storage import SQLiteBackend

NOW = 1_750_000_000
INSERT = Statement(insert(sections))
NAMES = Statement(
    select(sections.c.name).where(sections.c.organization_id == own()).order_by(sections.c.name),
    str,
)
EVENTS = Statement(
    select(events.c.type, events.c.resource_id, events.c.created_at)
    .where(events.c.organization_id == own(), events.c.type == "folder.created")
    .order_by(events.c.id)
)


@dataclass
class Hooks:
    """Be the plugins: do what a test says, and remember what was seen."""

    before: Callable[[Change, Transaction], None] = lambda change, tx: None
    after: Callable[[Change, Transaction], None] = lambda change, tx: None
    seen: list[str] = field(default_factory=list)

    def before_change(self, change: Change, tx: Transaction) -> None:
        """Note the change and let the test look at it."""
        self.seen.append(f"before {change.resource_id}")
        self.before(change, tx)

    def after_change(self, change: Change, tx: Transaction) -> None:
        """Note the change and let the test add to it."""
        self.seen.append(f"after {change.resource_id}")
        self.after(change, tx)


@pytest.fixture
def hooks() -> Hooks:
    """Give plugins that do nothing yet."""
    return Hooks()


@pytest.fixture
def storage(application: Application, hooks: Hooks) -> Iterator[Storage]:
    """Give a second storage on the application's database, with the test's hooks."""
    recorder = Recorder(hooks, event_types=frozenset({"folder.created"}), clock=lambda: NOW + 0.9)
    migrations = {"ipcraft": CORE, **application.registry.migrations}
    embedded = application.storage.name == "sqlite"
    backend = SQLiteBackend() if embedded else PostgreSQLBackend()
    opened = backend.open(
        application.settings.database_url, migrations=migrations, recorder=recorder
    )
    yield opened
    opened.close()


def test_a_veto_leaves_nothing(storage: Storage, hooks: Hooks, organization: Organization) -> None:
    """A plugin that refuses a change undoes the whole transaction, what came before included."""

    def refuse(change: Change, tx: Transaction) -> None:
        if change.resource_id == "b":
            raise Forbidden("not this one")

    def work(tx: Transaction) -> None:
        create(tx, "a")
        create(tx, "b")

    hooks.before = refuse
    with pytest.raises(Forbidden, match="not this one"):
        storage.transact(organization.id, work)
    assert stored(storage, organization) == ([], [])
    assert hooks.seen == ["before a", "before b"]


def test_hooks_see_a_change_around_its_writes(
    storage: Storage, hooks: Hooks, organization: Organization
) -> None:
    """Before: the row is not there yet. After: it is, and not committed."""
    looks: list[list[str]] = []
    hooks.before = hooks.after = lambda change, tx: looks.append(tx.all(NAMES))
    storage.transact(organization.id, lambda tx: create(tx, "a"))
    assert looks == [[], ["a"]]


def test_what_a_hook_adds_is_committed_with_the_change(
    storage: Storage, hooks: Hooks, organization: Organization
) -> None:
    """`after_change` writes in the change's own transaction; its own changes are recorded too."""

    def add(change: Change, tx: Transaction) -> None:
        if change.resource_id == "a":
            create(tx, "added")

    hooks.after = add
    storage.transact(organization.id, lambda tx: create(tx, "a"))
    names, recorded = stored(storage, organization)
    assert names == ["a", "added"]
    assert [resource for _, resource, _ in recorded] == ["a", "added"]
    assert hooks.seen == ["before a", "after a", "before added", "after added"]


def test_a_hook_that_fails_after_a_change_undoes_it(
    storage: Storage, hooks: Hooks, organization: Organization
) -> None:
    """What must be true together with a change is, or there is no change."""

    def fail(change: Change, tx: Transaction) -> None:
        raise Unavailable("the other half failed")

    hooks.after = fail
    with pytest.raises(Unavailable, match="the other half"):
        storage.transact(organization.id, lambda tx: create(tx, "a"))
    assert stored(storage, organization) == ([], [])


@pytest.mark.parametrize("count", [1, 15, 16, 40])
def test_every_change_has_its_event(
    storage: Storage, hooks: Hooks, organization: Organization, count: int
) -> None:
    """Few or many, each change has one event row, at the transaction's time in whole seconds."""
    ids = [f"{number:03}" for number in range(count)]

    def work(tx: Transaction) -> None:
        tx.record_many(change_of(each) for each in ids)
        tx.write_many(INSERT, [row(tx, each) for each in ids])

    storage.transact(organization.id, work)
    names, recorded = stored(storage, organization)
    assert names == ids
    assert sorted(recorded) == [("folder.created", each, NOW) for each in ids]


def test_queued_writes_are_sent_in_order(storage: Storage, organization: Organization) -> None:
    """A query sees every write that was queued before it, and only the last of two counts."""
    rename = Statement(
        sections.update()
        .where(sections.c.organization_id == own(), sections.c.id == "a")
        .values(name="renamed")
    )

    def work(tx: Transaction) -> list[str]:
        tx.write(INSERT, **row(tx, "a"))
        tx.write(rename)
        tx.write(INSERT, **row(tx, "b"))
        return tx.all(NAMES)

    assert storage.transact(organization.id, work) == ["b", "renamed"]


def test_independent_writes_of_one_round_trip_are_all_kept(
    storage: Storage, organization: Organization
) -> None:
    """Writes that a storage may join into one statement are all done, however many."""
    independent = Statement(insert(sections), independent=True)
    for count in (1, 2, 8, 9, 30):
        ids = [f"{count}-{number:02}" for number in range(count)]

        def work(tx: Transaction, ids: list[str] = ids) -> None:
            for each in ids:
                tx.write(independent, **row(tx, each))

        storage.transact(organization.id, work)
        names, _ = stored(storage, organization)
        assert set(ids) <= set(names)


def create(tx: Transaction, name: str) -> None:
    """Record and write a folder."""
    tx.record(change_of(name))
    tx.write(INSERT, **row(tx, name))


def change_of(name: str) -> Change:
    """Describe the creation of a folder."""
    return Change(type="folder.created", resource_id=name, label=name, details=f"Created {name}")


def row(tx: Transaction, name: str) -> Mapping[str, Any]:
    """Give a folder as a row."""
    times = {"created_at": tx.now, "updated_at": tx.now}
    return {
        "id": name,
        "name": name,
        "description": None,
        "sort_order": 0,
        "search_text": None,
        **times,
    }


def stored(storage: Storage, organization: Organization) -> tuple[list[str], list[Any]]:
    """Give the folders' names and the events of their creation."""
    with storage.read(organization.id) as tx:
        return tx.all(NAMES), tx.all(EVENTS)
