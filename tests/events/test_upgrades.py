"""Upgrades of an installation that something has happened in."""

from __future__ import annotations

from sqlalchemy import create_engine, make_url, text

from ipcraft.plugin import Application
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


def test_old_events_are_counted_and_taken_nowhere(
    application: Application, make: Make, sink: Memory
) -> None:
    """They have a sequence from the upgrade on; sinks begin with what happens then."""
    organizations = [make_organization(application).id for _ in range(2)]
    for organization_id in organizations:
        application.storage.transact(organization_id, lambda tx: record(tx, 3))
    url = make_url(application.settings.database_url)
    driver = "sqlite" if url.drivername == "sqlite" else "postgresql+psycopg"
    engine = create_engine(url.set(drivername=driver))
    with engine.begin() as connection:
        for statement in OLD:
            connection.execute(text(statement))
    engine.dispose()
    application.storage.upgrade()
    for organization_id in organizations:
        found = stored(application, organization_id)
        assert [event.sequence for event in found] == [1, 2, 3, 4, 5, 6]
        assert [event.label for event in found[3:]] == ["0", "1", "2"]
    application.storage.transact(organizations[0], lambda tx: record(tx, 1))
    way = make(sink)
    way.count()
    way.take()
    assert sink.sequences() == {organizations[0]: [7]}
