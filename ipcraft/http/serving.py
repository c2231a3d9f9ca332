"""The Falcon app: routes behind the request's way, with no knowledge of plugins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import falcon
import falcon.media

from ipcraft.config import NetworkAddresses
from ipcraft.contributions import NO_PLAN, AuthBackend, RateLimiter, Route
from ipcraft.data.claims import Claim
from ipcraft.http import errors
from ipcraft.http.client_addresses import ClientAddresses
from ipcraft.http.conditions import tagged
from ipcraft.http.forgery import ForgeryGuard
from ipcraft.http.identity import Authorize, Identification, PlanOf
from ipcraft.http.media import JSONHandler, Rendering
from ipcraft.http.rate_limits import RateLimits
from ipcraft.http.request import Request
from ipcraft.http.request_log import RequestLog
from ipcraft.http.request_metrics import RequestMetrics
from ipcraft.http.response import Response
from ipcraft.http.routing import Router
from ipcraft.http.writes import Responder, Writes
from ipcraft.metrics.counting import Metrics

_SHOWING = ("GET", "HEAD")


def make_app(
    routes: Iterable[Route],
    *,
    backends: Sequence[AuthBackend],
    authorize: Authorize,
    settle: Callable[[Claim], None],
    limiter: RateLimiter,
    metrics: Metrics | None = None,
    plan: PlanOf = lambda identity: NO_PLAN,
    public_url: str | None = None,
    trusted_proxies: Sequence[NetworkAddresses] = (),
    writes: Writes | None = None,
) -> falcon.App[Any, Any]:
    """Serve the routes. Browsers reach them below `public_url`, if that is known.

    `writes` serves those that change something. With `metrics` requests are counted.

    Raises ValueError for a path that Falcon cannot route or that another one shadows.
    """
    by_path = {route.path: route for route in routes}
    app = falcon.App(
        request_type=Request,
        response_type=Response,
        router=Router(),
        middleware=(
            RequestLog(),
            *([RequestMetrics(metrics)] if metrics else ()),
            ClientAddresses(trusted_proxies),
            Identification(
                by_path,
                backends=backends,
                authorize=authorize,
                forgery=ForgeryGuard(public_url),
                settle=settle,
                plan=plan,
                limits=RateLimits(limiter, metrics or Metrics()),
            ),
            Rendering(),  # last here is first after the resource
        ),
    )
    handlers = falcon.media.Handlers({falcon.MEDIA_JSON: JSONHandler()})
    app.req_options.media_handlers = handlers
    app.resp_options.media_handlers = handlers
    errors.install(app)
    for route in by_path.values():
        app.add_route(route.path, route.resource, serve=partial(_served, route, writes))
    return app


def _served(
    route: Route, writes: Writes | None, responders: dict[str, Responder]
) -> dict[str, Responder]:
    """Put around the responders of a route what is the same for all."""
    served = writes.careful(route, responders) if writes else responders
    if route.public:
        return served
    return served | {each: tagged(served[each]) for each in _SHOWING if each in served}
