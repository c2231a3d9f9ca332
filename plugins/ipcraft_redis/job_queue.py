"""Jobs in Redis, carried by RQ.

What lies in Redis is a job's registered name and its payload as JSON. Nobody who can write there
can have anything else run than what plugins gave as jobs.
Source: https://python-rq.org/docs/
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, Any

from redis import RedisError
from rq import Queue, Retry
from rq import Worker as AnyWorker
from rq.job import Job as QueuedJob
from rq.job import JobStatus
from rq.serializers import JSONSerializer

from ipcraft.plugin import (
    Application,
    HealthCheck,
    Hopeless,
    Order,
    Retries,
    Unavailable,
    did_you_mean,
    on_behalf_of,
)
from ipcraft_redis.connection import connect

if TYPE_CHECKING:
    from redis import Redis

LONGEST_RUN = 3600
"""Seconds after which a job is stopped; it is then tried again."""

FAILURES_KEPT = 7 * 86_400
"""Seconds a failed job can be looked at."""

CONNECT_TIMEOUT = 2.0
"""Seconds that who queues a job waits for Redis."""


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

    def put(self, order: Order) -> None:
        """Write the order into Redis. Raises `Unavailable` when that does not work."""
        job = self.queue.create_job(
            order.job,
            args=[order.payload],
            job_id=order.id,
            description=order.job,  # shown in RQ's logs, where the payload has no business
            meta={"request_id": order.request_id},
            retry=_retry(self._app.jobs[order.job].retries),
            timeout=LONGEST_RUN,
            result_ttl=0,
            failure_ttl=FAILURES_KEPT,
            status=JobStatus.SCHEDULED if order.delay else JobStatus.QUEUED,
        )
        try:
            if order.delay:
                self.queue.schedule_job(job, datetime.now(UTC) + timedelta(seconds=order.delay))
            else:
                self.queue.enqueue_job(job)
        except RedisError as error:
            raise Unavailable(f"the job cannot be queued in Redis now: {error}") from error

    def close(self) -> None:
        """Hang up; what is queued is in Redis."""
        self.queue.connection.close()

    def check(self) -> str | None:
        """Say why no job runs, or None."""
        try:
            waiting = self.queue.count
            if not waiting or AnyWorker.all(queue=self.queue):
                return None
        except RedisError as error:
            return f"Redis cannot be used, so nothing is sent: {error}"
        return f"{waiting} jobs wait and no `ipcraft worker` is running"


def job_queue(app: Application) -> RedisQueue:
    """Make the queue that the settings describe."""
    return RedisQueue(app)


def health_checks(queue: object) -> list[HealthCheck]:
    """Give the check of a queue of ours."""
    assert isinstance(queue, RedisQueue)
    return [HealthCheck("job_queue", queue.check, required=False)]


def registered_job(app: Application) -> type[QueuedJob]:
    """Give RQ's job, with its function looked up among the application's jobs by its name."""

    class RegisteredJob(QueuedJob):
        @property
        def func(self) -> Callable[..., None]:
            return lambda payload: _run(app, self, payload)

    return RegisteredJob


def _run(app: Application, queued: QueuedJob, payload: Mapping[str, Any]) -> None:
    name = str(queued.func_name)
    request_id = queued.meta.get("request_id")
    order = Order(id=queued.id, job=name, payload=payload, request_id=request_id)
    with on_behalf_of(order):
        try:
            if name not in app.jobs:
                raise Hopeless(f"no plugin gives the job {name!r}{did_you_mean(name, app.jobs)}")
            app.jobs[name].run(payload)
        except Hopeless:
            queued.retries_left = 0
            raise


def _retry(retries: Retries) -> Retry | None:
    pauses = [retries.pause(attempt) for attempt in range(1, retries.attempts)]
    seconds = [ceil(pause) for pause in pauses if pause is not None]
    return Retry(len(seconds), interval=seconds) if seconds else None
