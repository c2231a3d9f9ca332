"""An application whose webhooks may lead to a receiver on this machine, and which sells plans."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ipcraft.plugin import Application
from ipcraft.testing import make_application
from ipcraft.testing.services import StripeStandIn


@pytest.fixture
def application(database_url: str) -> Iterator[Application]:
    """Give an application that may reach loopback."""
    settings = {"allowed_networks": ["127.0.0.0/8"], "public_url": "http://ipam.example.com"}
    with StripeStandIn() as stripe:
        app = make_application(
            database_url, settings=settings, sections={"stripe": stripe.settings}
        )
        yield app
        app.close()
