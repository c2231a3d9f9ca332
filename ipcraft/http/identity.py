"""Who sends a request, and whether they may."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import falcon
import structlog

from ipcraft.contributions import AuthBackend, Identity, Plan, Route
from ipcraft.data.claims import Claim
from ipcraft.errors import (
    Forbidden,
    LimitReached,
    RequestError,
    Unauthenticated,
    Unavailable,
)
from ipcraft.http.forgery import ForgeryGuard
from ipcraft.http.rate_limits import RateLimits

_log = structlog.get_logger("ipcraft.http")

_REFUSALS = (Unauthenticated, Forbidden, LimitReached, Unavailable)
"""What an auth backend refuses a request with; anything else it raises is its own failure."""

Authorize = Callable[[Identity, str, str], bool]
"""Tell whether an identity may do an action on a path."""

PlanOf = Callable[[Identity], Plan]
"""Give the plan of an identity's organization."""


class Identification:
    """Falcon middleware: recognize the sender and set ``req.context.identity``.

    Backends are asked in order. The first identity counts; none is 401; a backend that
    fails is 503, and no other is asked. Public routes are served without asking. On all
    others a write that may be forged is refused, and so is what the role does not allow.
    Requests are counted on the way: those of a client address where the route has a limit,
    those of an organization where its plan has one, allowed or not.
    Where the identity is a claim still, it is settled with the first query of a deferred route,
    at once on any other, and at the latest before the answer leaves.
    """

    __slots__ = (
        "_authorize",
        "_backends",
        "_forgery",
        "_limits",
        "_plan",
        "_routes",
        "_settle",
    )

    def __init__(
        self,
        routes: Mapping[str, Route],
        *,
        backends: Sequence[AuthBackend],
        authorize: Authorize,
        forgery: ForgeryGuard,
        settle: Callable[[Claim], None],
        plan: PlanOf,
        limits: RateLimits,
    ) -> None:
        self._routes = routes
        self._forgery = forgery
        self._backends = tuple(backends)
        self._authorize = authorize
        self._settle = settle
        self._plan = plan
        self._limits = limits

    def process_resource(
        self, req: falcon.Request, resp: falcon.Response, resource: object, params: dict[str, Any]
    ) -> None:
        """Recognize and authorize, once the route is known."""
        route = self._routes[req.uri_template or ""]
        if route.limit is not None:
            self._limits.take_client(req, resp, route.limit)
        if route.public:
            return
        identity = self._recognize(req)
        plan = self._plan(identity)
        if identity.plan is None and plan.name:
            identity = replace(identity, plan=plan.name)
        req.context.identity = identity
        if plan.rate_limit is not None:
            self._limits.take_organization(resp, identity.organization_id, plan.rate_limit)
        self._forgery.check(req, identity)
        action = route.action(req.method)

        def allow(identity: Identity) -> None:
            if not self._authorize(identity, action, route.path):
                raise Forbidden("Your role does not allow this; ask an admin of your organization")

        claim = identity.claim
        if claim is None:
            allow(identity)
            return
        claim.allow = allow
        if route.deferred and _allowed(allow, identity):
            claim.allowed = identity
        else:
            self._settle(claim)
            req.context.identity = claim.confirmed

    def process_response(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        resource: object,
        req_succeeded: bool,  # noqa: FBT001 - Falcon's signature
    ) -> None:
        """Settle what no query has settled: no answer goes to who is not recognized any more."""
        identity = req.context.identity
        if identity is not None and identity.claim is not None and not identity.claim.settled:
            self._settle(identity.claim)

    def _recognize(self, req: falcon.Request) -> Identity:
        for backend in self._backends:
            try:
                identity = backend.authenticate(req)
            except _REFUSALS:
                raise
            except Exception as error:  # falling through would let a broken guard be passed
                _log.exception("an auth backend failed", backend=backend.name)
                raise Unavailable("Credentials cannot be checked now; try again later") from error
            if identity is not None:
                return identity
        raise Unauthenticated(
            "Credentials are required: sign in, or send `Authorization: Bearer <API key>`"
        )


def _allowed(allow: Callable[[Identity], None], identity: Identity) -> bool:
    """Tell whether it is allowed by what is known; a refusal is not made before that is certain."""
    try:
        allow(identity)
    except RequestError:
        return False
    return True
