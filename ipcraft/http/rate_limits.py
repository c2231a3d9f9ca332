"""Rate limits: how fast an organization, or one client address, may send requests.

Answers tell what is left, as in
https://www.ietf.org/archive/id/draft-ietf-httpapi-ratelimit-headers-10.html
"""

from __future__ import annotations

from math import ceil

import falcon

from ipcraft.contributions import RateLimit, RateLimiter
from ipcraft.errors import RateLimited
from ipcraft.http.client_addresses import client_network
from ipcraft.metrics.counting import Metrics

POLICY = "RateLimit-Policy"
"""The header that tells the limits."""

STATE = "RateLimit"
"""The header that tells what is left of them."""


class RateLimits:
    """Count limited requests, say so in their answers, refuse those above the limit."""

    __slots__ = ("_limiter", "_refused")

    def __init__(self, limiter: RateLimiter, metrics: Metrics) -> None:
        self._limiter = limiter
        self._refused = metrics.counter(
            "rate_limited_requests", "Requests beyond a rate limit.", labels=("limit",)
        )

    def take_client(self, req: falcon.Request, resp: falcon.Response, limit: RateLimit) -> None:
        """Count a request of its client address. Raises `RateLimited`."""
        self._take(resp, client_network(req.context.client_address), limit)

    def take_organization(
        self, resp: falcon.Response, organization_id: str, limit: RateLimit
    ) -> None:
        """Count a request of its organization. Raises `RateLimited`."""
        self._take(resp, organization_id, limit)

    def _take(self, resp: falcon.Response, key: str, limit: RateLimit) -> None:
        allowance = self._limiter.take(f"{limit.name}:{key}", limit)
        seconds = ceil(allowance.seconds)
        # A second limit joins the list that the first has begun (RFC 9651, section 3.1).
        resp.append_header(POLICY, f'"{limit.name}";q={limit.requests};w={limit.seconds}')
        resp.append_header(STATE, f'"{limit.name}";r={allowance.remaining};t={seconds}')
        if not allowance.allowed:
            self._refused.add(limit.name)
            seconds = max(seconds, 1)
            resp.set_header("Retry-After", str(seconds))
            raise RateLimited(
                f"Too many requests: the limit is {_rate(limit)}; try again in {_counted(seconds)}"
            )


def _rate(limit: RateLimit) -> str:
    period = "a second" if limit.seconds == 1 else _counted(limit.seconds)
    return f"{limit.requests} in {period}"


def _counted(seconds: int) -> str:
    return f"{seconds} second" if seconds == 1 else f"{seconds} seconds"
