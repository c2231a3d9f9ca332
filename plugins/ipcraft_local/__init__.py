"""Local: what one machine can do for itself, without a server beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ipcraft.plugin import Application, JobQueue, RateLimiter, Schema, hookimpl
from ipcraft_local import rate_limits
from ipcraft_local.job_queue import LocalQueue
from ipcraft_local.rate_limits import LocalRateLimiter
from ipcraft_local.schemas import LocalSettings

API = 1

__all__ = ["API", "LocalRateLimiter"]


@hookimpl
def ipcraft_config_schema() -> type[Schema]:
    """Give the settings of the jobs' threads."""
    return LocalSettings


@hookimpl
def ipcraft_job_queues(app: Application) -> Sequence[JobQueue]:
    """Run jobs in this process."""
    section: Mapping[str, Any] = app.section("local")
    return [LocalQueue(app, threads=section["job_threads"])]


@hookimpl
def ipcraft_rate_limiters(app: Application) -> Sequence[RateLimiter]:
    """Count requests in memory."""
    return [LocalRateLimiter(clock=app.clock)]


@hookimpl
def ipcraft_serving() -> Sequence[str]:
    """Let the processes that are about to be forked count together."""
    rate_limits.share()
    return []
