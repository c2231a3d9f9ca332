"""A query that goes by keys, though it does not look so, is planned once."""

from __future__ import annotations

from sqlalchemy import BigInteger, column, select, table, text

from ipcraft.events.tables import events
from ipcraft.plugin import Statement, given
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
MODE = Statement(select(text("current_setting('plan_cache_mode')")))


def test_a_query_with_one_plan_is_never_planned_for_its_parameters(postgresql: PostgreSQL) -> None:
    """And nothing else of the same look is planned otherwise for it."""
    url = postgresql.create_database()
    app = make_application(url)
    organization_id = make_organization(app).id
    with app.storage.look(organization_id) as reader:
        for last in range(AT_ONCE):
            reader.all(ONE_PLAN, last=last)
            assert reader.value(MODE) == "auto"
            reader.all(ANY_PLAN, last=last)
        (one_generic, one_custom), (_, any_custom) = reader.all(PLANS)
    assert (one_generic, one_custom) == (AT_ONCE, 0)
    assert any_custom >= 5
    app.close()
    postgresql.drop_database(url)
