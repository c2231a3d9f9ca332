"""Jobs in Redis, carried by RQ.

What lies in Redis is the id of an order and a job's registered name; what the order says stands in
the database. Nobody who can write into Redis can have anything else run than what was ordered.
Source: https://python-rq.org/docs/
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from redis import RedisError
from rq import Queue
from rq import Worker as AnyWorker
from rq.job import Job as QueuedJob
from rq.serializers import JSONSerializer

from ipcraft.plugin import Application, HealthCheck, Ticket, Unavailable
from ipcraft_redis.connection import connect
from ipcraft_redis.wakes import Wakes

if TYPE_CHECKING:
    from redis import Redis

LONGEST_RUN = 3600
"""Seconds after which a job is stopped; it is then tried again."""

MOST_WAITING = 200
"""Tickets that may lie in Redis; further orders wait in the database."""

CONNECT_TIMEOUT = 2.0
"""Seconds that is waited for Redis."""

_FAILURES_KEPT = 3600


class RedisQueue:
    """Queue jobs in Redis for the processes that `ipcraft worker` runs."""

    name = "redis"
    runs_here = False

    def __init__(self, app: Application, *, connection: Redis | None = None) -> None:
        section: Mapping[str, Any] = app.section("redis")
        self._app = app
        self.queue = Queue(
            f"{section['prefix']}-jobs",
            connection=connection or connect(section["url"], timeout=CONNECT_TIMEOUT),
            serializer=JSONSerializer,
            job_class=registered_job(app),
        )
        self.wakes = Wakes(section["url"], channel=f"{section['prefix']}-wakes")

    def room(self) -> int:
        """Give how many more tickets may lie in Redis. Raises `Unavailable`."""
        try:
            return MOST_WAITING - int(self.queue.count)
        except RedisError as error:
            raise Unavailable(f"Redis cannot be used, so jobs wait: {error}") from error

    def put(self, ticket: Ticket) -> None:
        """Write the ticket into Redis. Raises `Unavailable` when that does not work."""
        try:
            self.queue.enqueue_call(
                ticket.job,
                args=[ticket.order_id, ticket.lease],
                # An order that is taken again is another job to RQ, which may still tidy the first.
                job_id=f"{ticket.order_id}-{ticket.lease}",
                description=ticket.job,
                timeout=LONGEST_RUN,
                result_ttl=0,
                failure_ttl=_FAILURES_KEPT,
            )
        except RedisError as error:
            raise Unavailable(f"the job cannot be queued in Redis now: {error}") from error

    def wake(self, drain: str) -> None:
        """Tell the workers, from a thread of its own."""
        self.wakes.send(drain)

    def close(self) -> None:
        """Hang up; what is ordered is in the database."""
        self.wakes.close()
        self.queue.connection.close()

    def check(self) -> str | None:
        """Say why no job runs, or None."""
        try:
            if AnyWorker.all(queue=self.queue):
                return None
            waiting = self.queue.count + self._app.orders.waiting()
        except RedisError as error:
            return f"Redis cannot be used, so nothing is sent: {error}"
        return f"{waiting} jobs wait and no `ipcraft worker` is running" if waiting else None


def job_queue(app: Application) -> RedisQueue:
    """Make the queue that the settings describe."""
    return RedisQueue(app)


def health_checks(queue: object) -> list[HealthCheck]:
    """Give the check of a queue of ours."""
    assert isinstance(queue, RedisQueue)
    return [HealthCheck("job_queue", queue.check, required=False)]


def registered_job(app: Application) -> type[QueuedJob]:
    """Give RQ's job that works an order of the application off, whatever function it names."""

    class OrderedJob(QueuedJob):
        @property
        def func(self) -> Callable[[str, str], None]:
            return lambda order_id, lease: app.orders.perform(
                Ticket(order_id, str(self.func_name), lease)
            )

    return OrderedJob
