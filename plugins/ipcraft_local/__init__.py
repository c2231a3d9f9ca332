"""Local: what one machine can do for itself, without a server beside it."""

from __future__ import annotations

from collections.abc import Sequence

from ipcraft.plugin import Application, RateLimiter, hookimpl
from ipcraft_local import rate_limits
from ipcraft_local.rate_limits import LocalRateLimiter

API = 1

__all__ = ["API", "LocalRateLimiter"]


@hookimpl
def ipcraft_rate_limiters(app: Application) -> Sequence[RateLimiter]:
    """Count requests in memory."""
    return [LocalRateLimiter(clock=app.clock)]


@hookimpl
def ipcraft_serving() -> Sequence[str]:
    """Let the processes that are about to be forked count together."""
    rate_limits.share()
    return []
