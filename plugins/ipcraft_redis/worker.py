"""``ipcraft worker``: a process that runs the jobs in Redis."""

from __future__ import annotations

import threading
from types import FrameType
from typing import TYPE_CHECKING

import structlog
from redis import Redis, RedisError
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from ipcraft.plugin import Application, RequestError
from ipcraft_redis.job_queue import RedisQueue

if TYPE_CHECKING:
    from rq import Queue

_LEVEL = "WARNING"
_AFTER_LOSS = 1.0

_log = structlog.get_logger("ipcraft_redis")


class JobWorker(SimpleWorker):
    """Run jobs in this process, whose connections to the database stay open between them."""

    stop_asked = False

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Stop after the job that is running, as RQ does, and remember that somebody asked."""
        self.stop_asked = True
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call] # RQ leaves it untyped


def work(app: Application, *, burst: bool) -> None:
    """Run jobs until a signal says to stop or, in a `burst`, until none waits.

    A Redis that is restarted is waited for.
    """
    with Redis.from_url(str(app.section("redis")["url"])) as connection:
        carrier = RedisQueue(app, connection=connection)
        with carrier.wakes.heard(app.drains.wake):
            app.drains.begin()
            while not _work_once(app, carrier.queue, burst=burst):
                threading.Event().wait(_AFTER_LOSS)


def _work_once(app: Application, queue: Queue, *, burst: bool) -> bool:
    """Work until there is nothing more to do; tell whether that is so."""
    worker: JobWorker | None = None
    try:
        if burst:
            app.orders.run()
        worker = JobWorker(
            [queue],
            connection=queue.connection,
            serializer=JSONSerializer,
            job_class=queue.job_class,
        )
        worker.work(burst=burst, logging_level=_LEVEL)
    except (RedisError, RequestError) as error:
        _log.warning("the worker cannot go on, and tries again", reason=str(error))
        return worker is not None and worker.stop_asked
    return worker.stop_asked or (burst and not app.orders.waiting())
