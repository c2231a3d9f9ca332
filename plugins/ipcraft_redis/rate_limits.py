"""Rate limits in Redis: exact over all workers of all machines, in one round trip."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from redis import Redis, RedisError

from ipcraft.plugin import Allowance, Application, HealthCheck, RateLimit, RateLimiter
from ipcraft_local import LocalRateLimiter
from ipcraft_redis.connection import connect

_log = structlog.get_logger("ipcraft_redis")

_COUNT = """
local used = redis.call('INCR', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  left = tonumber(ARGV[1])
  redis.call('PEXPIRE', KEYS[1], left)
end
return {used, left}
"""
"""Count a request in the window of its key, which begins with the first; tell how long it lasts."""


class RedisRateLimiter:
    """Count in Redis; in this process alone while Redis cannot be used.

    After a failure nothing is asked of Redis for `pause` seconds. Then one request tries it, and
    waits for it no longer than the client's timeout.
    """

    name = "redis"

    def __init__(self, client: Redis, *, prefix: str, pause: float, fallback: RateLimiter) -> None:
        self._client = client
        self._count = client.register_script(_COUNT)
        self._prefix = prefix
        self._pause = pause
        self._fallback = fallback
        self._guard = threading.Lock()
        self._failing = False
        self._next_try = 0.0

    def take(self, key: str, limit: RateLimit) -> Allowance:
        """Count a request of the key."""
        counted = self._take(key, limit) if self._may_try() else None
        return counted or self._fallback.take(key, limit)

    def check(self) -> str | None:
        """Say why Redis cannot be used, or None."""
        try:
            self._client.ping()
        except RedisError as error:
            return f"Redis cannot be used, so each process counts requests for itself: {error}"
        return None

    def _take(self, key: str, limit: RateLimit) -> Allowance | None:
        try:
            answer: Any = self._count(
                keys=[f"{self._prefix}:rate:{key}"], args=[limit.seconds * 1000]
            )
        except RedisError as error:
            self._note_failure(error)
            return None
        self._note_success()
        used, milliseconds = answer
        return Allowance(
            allowed=used <= limit.requests,
            remaining=max(limit.requests - used, 0),
            seconds=milliseconds / 1000,
        )

    def _may_try(self) -> bool:
        if not self._failing:
            return True
        with self._guard:
            now = time.monotonic()
            if now < self._next_try:
                return False
            self._next_try = now + self._pause
            return True

    def _note_failure(self, error: Exception) -> None:
        with self._guard:
            self._next_try = time.monotonic() + self._pause
            first, self._failing = not self._failing, True
        if first:
            _log.warning("Redis cannot be used; this process counts alone", reason=str(error))

    def _note_success(self) -> None:
        if self._failing:
            self._failing = False
            _log.info("Redis can be used again")


def rate_limiter(app: Application) -> RedisRateLimiter:
    """Make the limiter that the settings describe."""
    section: Mapping[str, Any] = app.section("redis")
    return RedisRateLimiter(
        connect(section["url"], timeout=section["timeout"]),
        prefix=section["prefix"],
        pause=section["pause"],
        fallback=LocalRateLimiter(clock=app.clock),
    )


def health_checks(limiter: RateLimiter) -> Sequence[HealthCheck]:
    """Give the check of the limiter in use, if it is ours."""
    if not isinstance(limiter, RedisRateLimiter):
        return []
    return [HealthCheck("rate_limits", limiter.check, required=False)]
