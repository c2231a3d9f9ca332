"""A query that goes by keys, though it does not look so, is planned once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import BigInteger, column, select, table, text

from ipcraft.events.tables import events
from ipcraft.plugin import Application, Statement, Transaction, given
from ipcraft.testing import make_application, make_organization
from ipcraft.testing.services import PostgreSQL

AT_ONCE = 20
"""How often each is run; the planner settles on a plan after five times at the earliest."""

_few = select(events.c.id).where(events.c.sequence > given("last", BigInteger()))
ONE_PLAN = Statement(_few.order_by(events.c.sequence), one_plan=True)
ANY_PLAN = Statement(_few.order_by(events.c.sequence, events.c.id))
PLANS = Statement(
    select(column("generic_plans"), column("custom_plans"))
    .select_from(table("pg_prepared_statements"))
    .where(text("statement LIKE 'SELECT events.id%'"))
    .order_by(column("prepare_time"))
)
SYSTEMS = Statement(select(events.c.id), one_plan=True)
MODE = Statement(select(text("current_setting('plan_cache_mode')")))


@pytest.fixture
def application(postgresql: PostgreSQL) -> Iterator[Application]:
    """Give an application on PostgreSQL."""
    url = postgresql.create_database()
    app = make_application(url)
    yield app
    app.close()
    postgresql.drop_database(url)


def test_a_query_with_one_plan_is_never_planned_for_its_parameters(
    application: Application,
) -> None:
    """And nothing else of the same look is planned otherwise for it."""
    with application.storage.look(make_organization(application).id) as reader:
        for last in range(AT_ONCE):
            reader.all(ONE_PLAN, last=last)
            assert reader.value(MODE) == "auto"
            reader.all(ANY_PLAN, last=last)
        (one_generic, one_custom), (_, any_custom) = reader.all(PLANS)
    assert (one_generic, one_custom) == (AT_ONCE, 0)
    assert any_custom >= 5


@pytest.mark.parametrize("is_first", [True, False])
def test_so_is_what_follows_it_in_a_transaction(
    application: Application, *, is_first: bool
) -> None:
    """What comes before it is planned as the planner will."""
    organization_id = make_organization(application).id
    with application.storage.read(organization_id) as tx:
        if not is_first:
            assert tx.value(MODE) == "auto"
        for last in range(AT_ONCE):
            tx.all(ONE_PLAN, last=last)
        assert tx.value(MODE) == "force_generic_plan"
        assert tx.all(PLANS) == [(AT_ONCE, 0)]
    with application.storage.read(organization_id) as tx:
        assert tx.value(MODE) == "auto"


def test_nothing_is_said_where_it_is_so_already(application: Application) -> None:
    """Who writes has all planned once."""
    organization_id = make_organization(application).id

    def work(tx: Transaction) -> list[str]:
        before = tx.value(MODE)
        tx.all(ONE_PLAN, last=0)
        return [before, tx.value(MODE)]

    assert application.storage.transact(organization_id, work) == ["force_generic_plan"] * 2
    with application.storage.read_system() as tx:
        assert len(tx.all(SYSTEMS)) == len(tx.all(SYSTEMS)) > 0
