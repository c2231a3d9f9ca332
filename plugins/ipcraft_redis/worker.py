"""``ipcraft worker``: a process that runs the jobs in Redis."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

import structlog
from redis import Redis, RedisError
from rq import SimpleWorker
from rq.scheduler import RQScheduler
from rq.serializers import JSONSerializer

from ipcraft.plugin import Application
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
    url = str(app.section("redis")["url"])
    with Redis.from_url(url) as connection, _delayed_jobs(app, url):
        queue = RedisQueue(app, connection=connection).queue
        while not _work_once(queue, burst=burst):
            threading.Event().wait(_AFTER_LOSS)


def _work_once(queue: Queue, *, burst: bool) -> bool:
    """Work until there is nothing more to do; tell whether that is so."""
    worker: JobWorker | None = None
    try:
        worker = JobWorker(
            [queue],
            connection=queue.connection,
            serializer=JSONSerializer,
            job_class=queue.job_class,
        )
        worker.work(burst=burst, logging_level=_LEVEL)
    except RedisError as error:
        _log.warning("Redis cannot be used; the worker tries again", reason=str(error))
        return worker is not None and worker.stop_asked
    return burst or worker.stop_asked


@contextmanager
def _delayed_jobs(app: Application, url: str) -> Iterator[None]:
    """Move jobs that wait for their time to the others when it has come, until the end."""
    ended = threading.Event()
    with Redis.from_url(url) as connection:
        queue = RedisQueue(app, connection=connection).queue
        thread = threading.Thread(target=_move, args=(queue, ended), name="delayed-jobs")
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def _move(queue: Queue, ended: threading.Event) -> None:
    # RQ would do this in a process of its own, which does not survive a restart of Redis.
    scheduler = RQScheduler(
        [queue], connection=queue.connection, logging_level=_LEVEL, serializer=JSONSerializer
    )
    while not ended.wait(scheduler.interval):
        try:
            # Of several workers one does it: the one that holds the lock.
            if scheduler.acquire_locks():
                scheduler.enqueue_scheduled_jobs()
        except RedisError as error:
            _log.warning("delayed jobs wait: Redis cannot be used", reason=str(error))
    try:
        scheduler.release_locks()
    except RedisError as error:
        _log.warning("another worker waits a minute for delayed jobs", reason=str(error))
