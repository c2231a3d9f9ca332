"""A connection that is lent, and lost while it is."""

from __future__ import annotations

import pytest
from psycopg_pool import ConnectionPool, PoolClosed
from sqlalchemy import make_url

from ipcraft.testing.services import FaultProxy, PostgreSQL
from ipcraft_postgresql.links import Link
from ipcraft_postgresql.sessions import Lease

HELLO = [("SELECT 1", ())]


def test_a_lost_connection_is_given_back_once(postgresql: PostgreSQL) -> None:
    """Where no other can be had the lease ends in peace, and the reason is what is raised."""
    database = postgresql.create_database()
    with FaultProxy(postgresql.host, postgresql.port) as proxy:
        url = make_url(proxy.url(database)).set(drivername="postgresql")
        pool = ConnectionPool(
            url.render_as_string(hide_password=False),
            connection_class=Link,
            kwargs={"autocommit": True},
            min_size=1,
            open=True,
        )
        lease = Lease(pool)
        lease.begin(HELLO)
        pool.close()
        proxy.down()
        with pytest.raises(PoolClosed):
            lease.begin(HELLO)
        lease.end()
    postgresql.drop_database(database)
