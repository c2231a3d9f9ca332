"""What a transaction promises, on every storage."""

from __future__ import annotations

import sqlite3
from typing import Any

import psycopg
import pytest
from sqlalchemy import func, insert, select, text

from ipcraft.data.transactions import Session
from ipcraft.plugin import (
    Application,
    Change,
    Conflict,
    Contention,
    Statement,
    Transaction,
    Unavailable,
    events,
    new_id,
    own,
)
from ipcraft.testing import Organization
from ipcraft_ipam.tables import sections

INSERT = Statement(insert(sections))
COUNT = Statement(
    select(func.count()).select_from(sections).where(sections.c.organization_id == own())
)
EVENTS = Statement(
    select(events.c.resource_id).where(
        events.c.organization_id == own(), events.c.type == "folder.created"
    )
)


def add(tx: Transaction, section_id: str, *, name: str | None = "x") -> None:
    """Queue a folder and record it."""
    tx.record(Change(type="folder.created", resource_id=section_id, label="x", details="Created x"))
    tx.write(
        INSERT,
        id=section_id,
        name=name,
        description=None,
        sort_order=0,
        search_text=None,
        created_at=tx.now,
        updated_at=tx.now,
    )


@pytest.mark.parametrize("is_late", [False, True])
def test_an_answer_ends_a_transaction_before_its_commit(
    application: Application,
    organization: Organization,
    is_late: bool,  # noqa: FBT001 - a parameter
) -> None:
    """Also when nothing but the commit follows the question."""
    seen: list[object] = []

    def settle(row: object) -> None:
        seen.append(row)
        raise ZeroDivisionError

    def work(tx: Transaction) -> None:
        if is_late:
            tx.value(COUNT)
        add(tx, new_id("sec"))
        tx.ask(COUNT, settle)

    with pytest.raises(ZeroDivisionError):
        application.storage.transact(organization.id, work)
    with application.storage.read(organization.id) as tx:
        assert tx.value(COUNT) == 0
    assert len(seen) == 1


def test_an_error_leaves_nothing(application: Application, organization: Organization) -> None:
    """What the work raises is raised, and neither its rows nor its events stay."""

    def work(tx: Transaction) -> None:
        add(tx, new_id("sec"))
        assert tx.value(COUNT) == 1
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        application.storage.transact(organization.id, work)
    with application.storage.read(organization.id) as tx:
        assert (tx.value(COUNT), tx.all(EVENTS)) == (0, [])


@pytest.mark.parametrize("count", [1, 15, 16, 17, 600])
def test_many_rows_are_written_as_they_are(
    application: Application, organization: Organization, count: int
) -> None:
    """However many rows go together, each arrives with its own values, nulls among them."""
    rows = [
        {
            "id": new_id("sec"),
            "name": f"Föld {index}",
            "description": None if index % 3 else f"'{index}'; $1",
            "sort_order": -index,
            "search_text": None,
            "created_at": index,
            "updated_at": 2**40 + index,
        }
        for index in range(count)
    ]
    application.storage.transact(organization.id, lambda tx: tx.write_many(INSERT, rows))
    columns = [sections.c[name] for name in rows[0]]
    written = Statement(
        select(*columns)
        .where(sections.c.organization_id == own())
        .order_by(sections.c.sort_order.desc())
    )
    with application.storage.read(organization.id) as tx:
        assert tx.all(written) == [tuple(row.values()) for row in rows]


def test_a_lock_after_a_write_loses_nothing(
    application: Application, organization: Organization
) -> None:
    """What was written before is written, though no query was between."""

    def work(tx: Transaction) -> None:
        add(tx, new_id("sec"))
        tx.lock("name")

    application.storage.transact(organization.id, work)
    with application.storage.read(organization.id) as tx:
        assert (tx.value(COUNT), len(tx.all(EVENTS))) == (1, 1)


def test_a_lock_is_asked_for_once(
    application: Application, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who holds it need not ask again; who shares it asks to have it alone."""
    asked: list[bool] = []

    def work(tx: Transaction) -> None:
        def noted(session: Session, *arguments: Any, shared: bool) -> None:
            asked.append(shared)
            lock(session, *arguments, shared=shared)

        kind = type(tx._session)
        lock = kind.lock
        monkeypatch.setattr(kind, "lock", noted)
        for ask in (tx.share_lock, tx.share_lock, tx.lock, tx.lock, tx.share_lock):
            ask("name")
        for ask in (tx.lock, tx.share_lock):
            ask("another name")

    application.storage.transact(organization.id, work)
    assert asked == [True, False, False]


def test_a_change_and_its_event_are_committed_together(
    application: Application, organization: Organization
) -> None:
    """A committed change has exactly one event row."""
    section_id = new_id("sec")
    application.storage.transact(organization.id, lambda tx: add(tx, section_id))
    with application.storage.read(organization.id) as tx:
        assert (tx.value(COUNT), tx.all(EVENTS)) == (1, [(section_id,)])


def test_overtaken_work_is_run_again(application: Application, organization: Organization) -> None:
    """Work that lost against others starts anew, and only its last run counts."""
    runs: list[int] = []

    def work(tx: Transaction) -> None:
        runs.append(len(runs))
        add(tx, new_id("sec"))
        if len(runs) < 3:
            raise Contention("somebody was faster")

    application.storage.transact(organization.id, work)
    with application.storage.read(organization.id) as tx:
        assert (runs, tx.value(COUNT)) == ([0, 1, 2], 1)


@pytest.mark.parametrize("condition", ["serialization_failure", "deadlock_detected"])
@pytest.mark.parametrize("backend", ["postgresql"], indirect=True, scope="session")
def test_what_the_database_refuses_for_the_sake_of_others_is_run_again(
    application: Application, organization: Organization, condition: str
) -> None:
    """It is not the server that cannot be used; and who never gets through is told so."""
    runs: list[int] = []

    def work(tx: Transaction, *, until: int) -> None:
        runs.append(tx.attempt)
        add(tx, new_id("sec"))
        if tx.attempt < until:
            tx.execute(raising(condition))

    application.storage.transact(organization.id, lambda tx: work(tx, until=3))
    assert runs == [1, 2, 3]
    with pytest.raises(Contention, match="refused the write"):
        application.storage.transact(organization.id, lambda tx: work(tx, until=100))
    with application.storage.read(organization.id) as tx:
        assert tx.value(COUNT) == 1


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("lock_not_available", "busy"),
        ("admin_shutdown", "unavailable"),
        ("read_only_sql_transaction", "unavailable"),
    ],
)
@pytest.mark.parametrize("backend", ["postgresql"], indirect=True, scope="session")
def test_what_the_server_cannot_do_now_is_unavailable(
    application: Application, organization: Organization, condition: str, code: str
) -> None:
    """It is tried once: whether again is for the client to say."""
    runs: list[int] = []

    def work(tx: Transaction) -> None:
        runs.append(tx.attempt)
        tx.execute(raising(condition))

    with pytest.raises(Unavailable) as raised:
        application.storage.transact(organization.id, work)
    assert runs == [1]
    assert raised.value.code == code


def raising(condition: str) -> Statement[Any]:
    """Make a statement that fails with an error of PostgreSQL's."""
    return Statement(text(f"DO $$ BEGIN RAISE {condition}; END $$"))


def test_a_key_that_is_taken_is_a_conflict(
    application: Application, organization: Organization
) -> None:
    """Work that asks for it again and again, with the other row before its eyes, is told so."""
    section_id = new_id("sec")

    def work(tx: Transaction) -> None:
        add(tx, section_id)

    application.storage.transact(organization.id, work)
    with pytest.raises(Conflict, match="conflicts with what is there already"):
        application.storage.transact(organization.id, work)
    with application.storage.read(organization.id) as tx:
        assert tx.value(COUNT) == 1


def test_a_key_that_others_take_first_is_tried_anew(
    application: Application, organization: Organization
) -> None:
    """Who was overtaken once or more begins anew, and takes another one."""
    taken = [new_id("sec") for _ in range(3)]
    for section_id in taken:
        application.storage.transact(organization.id, lambda tx: add(tx, section_id))  # noqa: B023 - called at once
    wanted = iter([*taken, new_id("sec")])
    application.storage.transact(organization.id, lambda tx: add(tx, next(wanted)))
    with application.storage.read(organization.id) as tx:
        assert tx.value(COUNT) == 4


def test_a_missing_value_is_a_defect(application: Application, organization: Organization) -> None:
    """No other try would mend it, and nobody else is to blame."""
    runs: list[int] = []

    def work(tx: Transaction) -> None:
        runs.append(len(runs))
        add(tx, new_id("sec"), name=None)

    with pytest.raises((psycopg.errors.NotNullViolation, sqlite3.IntegrityError)):
        application.storage.transact(organization.id, work)
    assert runs == [0]


def test_an_undeclared_event_type_is_refused(
    application: Application, organization: Organization
) -> None:
    """Nobody records a kind of change that no plugin declares."""

    def work(tx: Transaction) -> None:
        tx.record(Change(type="rack.moved", resource_id="r", label="r", details="Moved r"))

    with pytest.raises(LookupError, match="no plugin declares the event type"):
        application.storage.transact(organization.id, work)


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True, scope="session")
def test_no_plan_is_compiled(application: Application, organization: Organization) -> None:
    """Where PostgreSQL has a compiler, it would take longer than our statements."""
    jit = Statement(select(func.current_setting("jit")))
    storage = application.storage
    assert storage.transact(organization.id, lambda tx: tx.value(jit)) == "off"
    for reading in (storage.look, storage.read):
        with reading(organization.id) as reader:
            assert reader.value(jit) == "off"
