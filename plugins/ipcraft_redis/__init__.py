"""Redis: one place where the workers of many machines count and wait."""

from __future__ import annotations

from collections.abc import Sequence

from ipcraft.plugin import Application, HealthCheck, RateLimiter, Schema, hookimpl
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
def ipcraft_health_checks(app: Application) -> Sequence[HealthCheck]:
    """Tell when the processes count requests each for itself."""
    if app.rate_limiter.name != "redis":
        return []
    from ipcraft_redis.rate_limits import health_checks

    return health_checks(app.rate_limiter)
