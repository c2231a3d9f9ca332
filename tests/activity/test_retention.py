"""Events are kept as long as the plan says, and until every sink has had them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from ipcraft.events import retention
from ipcraft.events.dispatch import Dispatcher
from ipcraft.plugin import Application, Change, Event, Statement, delete_events, events, own
from ipcraft.testing import Clock, Organization, make_organization

from .ways import count

KEPT = Statement(select(func.count()).select_from(events).where(events.c.organization_id == own()))
MADE_WITH_AN_ORGANIZATION = 3


class Attic:
    """Be a sink that keeps what it is given."""

    def __init__(self, name: str = "attic") -> None:
        self.name = name
        self.kept: list[Event] = []

    def deliver(self, events: Sequence[Event]) -> None:
        """Keep the events."""
        self.kept.extend(events)


def kept(app: Application, organization: Organization) -> int:
    """Count the organization's events that are there."""
    with app.storage.look(organization.id) as reader:
        return int(reader.value(KEPT))


def record(app: Application, organization: Organization, number: int) -> None:
    """Have something happen, so many times."""
    changes = [
        Change(type="user.updated", resource_id="usr_1", label="x", details="x")
        for _ in range(number)
    ]
    app.storage.transact(organization.id, lambda tx: tx.record_many(changes))


def remove(app: Application, organization: Organization, *, before: int) -> None:
    """Remove the organization's events of a time before."""
    app.storage.transact(organization.id, lambda tx: delete_events(tx, before=before, sinks=[]))


def length(organization: Organization) -> int:
    """Give the length of the log as a page of it tells."""
    answer = organization.client.get("/api/v1/activity", params={"limit": 1})
    return int(answer.headers["X-Total-Count"])


def tidy(app: Application) -> None:
    """Run the job."""
    app.jobs["activity.tidy"].run({})


def test_events_go_when_the_plan_says(application: Application, clock: Clock) -> None:
    """Each organization's after its own plan's days; where there is no limit, never."""
    free, teams, endless = (
        make_organization(application, plan=plan) for plan in ("free", "teams", "enterprise")
    )
    count(application)
    clock.advance(hours=7 * 24)
    tidy(application)
    assert kept(application, free) == MADE_WITH_AN_ORGANIZATION
    clock.advance(seconds=1)
    record(application, free, 1)
    tidy(application)
    assert kept(application, free) == 1
    assert kept(application, teams) == MADE_WITH_AN_ORGANIZATION
    clock.advance(hours=1000 * 24)
    tidy(application)
    assert kept(application, teams) == 0
    assert kept(application, endless) == MADE_WITH_AN_ORGANIZATION


def test_many_go_in_batches(application: Application, clock: Clock) -> None:
    """However many there are, none that is old is left."""
    free = make_organization(application, plan="free")
    record(application, free, 2 * retention.AT_ONCE + 5)
    count(application)
    clock.advance(hours=8 * 24)
    tidy(application)
    assert kept(application, free) == 0


def test_what_has_no_sequence_yet_stays(application: Application, clock: Clock) -> None:
    """No sink can have had it."""
    free = make_organization(application, plan="free")
    clock.advance(hours=8 * 24)
    tidy(application)
    assert kept(application, free) == MADE_WITH_AN_ORGANIZATION


def test_what_a_sink_has_not_had_stays(application: Application, clock: Clock) -> None:
    """Until it has had it; another sink, which is gone, holds up nothing."""
    free = make_organization(application, plan="free")
    attic = Attic()
    count(application, sinks=[attic, Attic("gone")])
    clock.advance(hours=8 * 24)
    before = int(clock()) - 7 * 24 * 3600

    def delete() -> None:
        application.storage.transact(
            free.id, lambda tx: delete_events(tx, before=before, sinks=["attic", "unknown"])
        )

    delete()
    assert kept(application, free) == MADE_WITH_AN_ORGANIZATION
    dispatcher = Dispatcher(
        attic, storage=application.storage, clock=clock, lease=30, wake=lambda drain: None
    )
    dispatcher.run()
    dispatcher.close()
    assert len(attic.kept) == MADE_WITH_AN_ORGANIZATION
    delete()
    assert kept(application, free) == 0


def test_the_log_is_as_long_as_what_is_kept(application: Application, clock: Clock) -> None:
    """With events that wait for their sequence, after some were removed, and with none left."""
    endless = make_organization(application, plan="enterprise")
    begun = int(clock())
    clock.advance(hours=1)
    record(application, endless, 4)
    assert length(endless) == kept(application, endless) == MADE_WITH_AN_ORGANIZATION + 4
    count(application)
    record(application, endless, 2)
    assert length(endless) == kept(application, endless) == MADE_WITH_AN_ORGANIZATION + 6
    remove(application, endless, before=begun + 1)
    assert length(endless) == kept(application, endless) == 6
    count(application)
    assert length(endless) == 6
    remove(application, endless, before=int(clock()) + 1)
    assert length(endless) == kept(application, endless) == 0
    record(application, endless, 1)
    assert length(endless) == 1


def test_sequences_go_on_after_all_events_went(application: Application, clock: Clock) -> None:
    """A receiver that remembers one never meets it again."""
    free = make_organization(application, plan="free")
    count(application)
    clock.advance(hours=8 * 24)
    tidy(application)
    record(application, free, 1)
    count(application)
    (event,) = free.client.get("/api/v1/events").json
    assert event["sequence"] == MADE_WITH_AN_ORGANIZATION + 1
