"""Whatever happens, in whatever order it is told: in the end the plan is what is paid for.

``IPCRAFT_TEST_HISTORIES=10000 pytest tests/billing/test_histories.py`` makes up as many histories,
``IPCRAFT_TEST_HISTORIES_FROM`` names the first of their seeds.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from random import Random

from sqlalchemy import select

from ipcraft.jobs.tables import jobs
from ipcraft.plugin import Application, Statement, events, given, own
from ipcraft.testing import Clock, make_organization
from ipcraft_stripe.tables import events as stripe_events

from .billing import Billing
from .histories import GRACE_HOURS, OWED, PAID, History

HISTORIES = int(os.environ.get("IPCRAFT_TEST_HISTORIES", "60"))
FIRST = int(os.environ.get("IPCRAFT_TEST_HISTORIES_FROM", "0"))

UNFINISHED = Statement(
    select(stripe_events.c.id).where(
        stripe_events.c.organization_id == own(), stripe_events.c.processed_at.is_(None)
    )
)
NOTICES = Statement(
    select(jobs.c.payload).where(jobs.c.organization_id == own(), jobs.c.name == "stripe.notice"),
    str,
)
CHANGES = Statement(
    select(events.c.before, events.c.data)
    .where(
        events.c.organization_id == own(),
        events.c.type == "organization.updated",
        events.c.resource_id == given("id"),
    )
    .order_by(events.c.id)
)


def test_the_plan_ends_as_what_is_paid_for(
    application: Application, billing: Billing, clock: Clock
) -> None:
    """Duplicates, disorder, losses, deaths: the plan is Stripe's, and no event counts twice."""
    for seed in range(FIRST, FIRST + HISTORIES):
        organization = make_organization(application, plan="free")
        history = History(billing, organization, clock, Random(seed))
        made = len(billing.stripe.ledger.events)
        history.run()
        history.settle()
        assert billing.plan(organization) in {
            history.best(*PAID),
            history.best(*PAID, *OWED),
        }, seed
        clock.advance(hours=GRACE_HOURS + 1)
        billing.work()
        assert billing.plan(organization) == history.best(*PAID), seed
        check_each_event_counted_once(history, billing.stripe.ledger.events[made:], seed)
        check_each_change_is_one(history, seed)
        forget(history)


def check_each_event_counted_once(
    history: History, made: list[dict[str, object]], seed: int
) -> None:
    """Every event is finished, and each dispute was told of as often as Stripe told of it."""
    with history.billing.app.storage.read(history.organization.id) as tx:
        assert tx.all(UNFINISHED) == [], seed
        notices = Counter(json.loads(each)["about"] for each in tx.all(NOTICES))
    lost = {each["id"] for each in history.lost}
    disputes = [
        each
        for each in made
        if str(each["type"]).startswith("charge.dispute") and each["id"] not in lost
    ]
    assert notices["disputed"] <= len(disputes), seed
    if not any(each["type"] == "customer.deleted" for each in made):
        assert notices["disputed"] == len(disputes), seed


def check_each_change_is_one(history: History, seed: int) -> None:
    """Expect a chain of plans: each change begins where the last has ended, and leads elsewhere."""
    organization_id = history.organization.id
    with history.billing.app.storage.read(organization_id) as tx:
        changes = tx.all(CHANGES, id=organization_id)
    plan = "free"
    for before, data in changes:
        assert json.loads(before)["plan"] == plan, seed
        assert json.loads(data)["plan"] != plan, seed
        plan = json.loads(data)["plan"]


def forget(history: History) -> None:
    """Have nothing of this history in the way of the next one."""
    app = history.billing.app
    app.storage.transact(history.organization.id, app.erase)
    history.billing.work()
