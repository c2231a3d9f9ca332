"""Upgrades of an installation that something has happened in."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import create_engine, make_url, select, text

from ipcraft.plugin import Application, Statement, delete_events, number_of_events
from ipcraft.testing import make_organization

from .conftest import Make, Memory, record, stored

INDEXES = ("without_sequence", "by_sequence", "by_time", "by_resource", "by_actor", "by_type")
OLD = (
    *(f"DROP INDEX events_{name}" for name in INDEXES),
    "ALTER TABLE events DROP COLUMN before",
    "ALTER TABLE events DROP COLUMN arrival",
    "DROP TABLE event_positions",
    "DROP TABLE event_streams",
    "DROP TABLE jobs",
    "DROP TABLE kept_answers",
    "UPDATE alembic_version_ipcraft SET version_num = 'core_0002'",
)

WITHOUT_REMOVED = (
    "ALTER TABLE event_streams DROP COLUMN removed",
    "UPDATE alembic_version_ipcraft SET version_num = 'core_0005'",
)


def test_old_events_are_counted_and_taken_nowhere(
    application: Application, make: Make, sink: Memory
) -> None:
    """They have a sequence from the upgrade on; sinks begin with what happens then."""
    organizations = [make_organization(application).id for _ in range(2)]
    for organization_id in organizations:
        application.storage.transact(organization_id, lambda tx: record(tx, 3))
    upgrade_from(application, OLD)
    for organization_id in organizations:
        found = stored(application, organization_id)
        assert [event.sequence for event in found] == [1, 2, 3, 4, 5, 6]
        assert [event.label for event in found[3:]] == ["0", "1", "2"]
    application.storage.transact(organizations[0], lambda tx: record(tx, 1))
    way = make(sink)
    way.count()
    way.take()
    assert sink.sequences() == {organizations[0]: [7]}


def test_what_was_removed_before_is_known_after(
    application: Application, make: Make, sink: Memory
) -> None:
    """The number of events is right in an organization that retention has been at."""
    organization_id = make_organization(application).id
    way = make(sink)
    way.count()
    application.storage.transact(
        organization_id, lambda tx: delete_events(tx, before=tx.now + 1, sinks=[])
    )
    application.storage.transact(organization_id, lambda tx: record(tx, 2))
    way.count()
    application.storage.transact(organization_id, lambda tx: record(tx, 1))
    upgrade_from(application, WITHOUT_REMOVED)
    with application.storage.look(organization_id) as reader:
        assert reader.value(Statement(select(number_of_events()))) == 3


def upgrade_from(application: Application, statements: Sequence[str]) -> None:
    """Take the database back to how it was, and upgrade it."""
    url = make_url(application.settings.database_url)
    driver = "sqlite" if url.drivername == "sqlite" else "postgresql+psycopg"
    engine = create_engine(url.set(drivername=driver))
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()
    application.storage.upgrade()
