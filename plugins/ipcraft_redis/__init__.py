"""Redis: one place where the workers of many machines count and wait."""

from __future__ import annotations

from collections.abc import Sequence

from ipcraft.plugin import (
    Application,
    Command,
    HealthCheck,
    JobQueue,
    RateLimiter,
    Schema,
    hookimpl,
)
from ipcraft_redis.commands import worker
from ipcraft_redis.schemas import RedisSettings

API = 1


@hookimpl
def ipcraft_config_schema() -> type[Schema]:
    """Give the settings of the connection."""
    return RedisSettings


@hookimpl
def ipcraft_rate_limiters(app: Application) -> Sequence[RateLimiter]:
    """Count requests in Redis, if its URL is set."""
    if app.section("redis")["url"] is None:
        return []
    # Imported here: it takes 75 ms, which only those who use Redis should wait for.
    from ipcraft_redis.rate_limits import rate_limiter

    return [rate_limiter(app)]


@hookimpl
def ipcraft_job_queues(app: Application) -> Sequence[JobQueue]:
    """Queue jobs in Redis, if its URL is set."""
    if app.section("redis")["url"] is None:
        return []
    # Imported here: RQ takes 230 ms.
    from ipcraft_redis.job_queue import job_queue

    return [job_queue(app)]


@hookimpl
def ipcraft_commands() -> Sequence[Command]:
    """Add ``ipcraft worker``."""
    return [Command(worker)]


@hookimpl
def ipcraft_health_checks(app: Application) -> Sequence[HealthCheck]:
    """Tell when the processes count requests each for itself, and when nobody runs jobs."""
    checks: list[HealthCheck] = []
    if app.rate_limiter.name == "redis":
        from ipcraft_redis import rate_limits

        checks += rate_limits.health_checks(app.rate_limiter)
    if app.job_queue.name == "redis":
        from ipcraft_redis import job_queue

        checks += job_queue.health_checks(app.job_queue)
    return checks
