"""Apps of a few routes, without plugins and without a database."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence

import pytest
import structlog
from falcon.testing import TestClient

from ipcraft.contributions import AuthBackend, Identity, Route
from ipcraft.data.claims import Claim
from ipcraft.http.serving import make_app
from ipcraft.logs import configure_logs
from ipcraft_local import LocalRateLimiter


@pytest.fixture
def serve() -> Callable[..., TestClient]:
    """Give a function that serves routes and returns their client."""

    def client(
        *routes: Route,
        backends: Sequence[AuthBackend] = (),
        authorize: Callable[[Identity, str, str], bool] = lambda *_: True,
        settle: Callable[[Claim], None] = lambda claim: claim.settle(None),
        public_url: str | None = None,
    ) -> TestClient:
        return TestClient(
            make_app(
                routes,
                backends=backends,
                authorize=authorize,
                settle=settle,
                limiter=LocalRateLimiter(),
                public_url=public_url,
            )
        )

    return client


@pytest.fixture
def json_logs() -> Iterator[None]:
    """Write logs as JSON; leave the libraries' handlers as they were."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []
    configure_logs(form="json")
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()
