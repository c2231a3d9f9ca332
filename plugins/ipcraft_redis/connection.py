"""The connection to Redis, as one who must not wait for it makes it."""

from __future__ import annotations

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry


def connect(url: str, *, timeout: float) -> Redis:
    """Give a client that waits `timeout` seconds at most, and tries nothing twice.

    It connects at first use, so that a process may fork before.
    """
    return Redis.from_url(
        url,
        socket_connect_timeout=timeout,
        socket_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
    )
