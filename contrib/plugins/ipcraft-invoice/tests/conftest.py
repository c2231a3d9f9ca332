"""An application that sells on invoice, and a clock that tests set."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ipcraft.plugin import Application
from ipcraft.testing import Clock, Organization, make_application, make_organization

MARCH = 1_709_251_200
"""2024-03-01T00:00:00Z"""

SECTION = {
    "contact_url": "https://example.com/plans",
    "prices": {"pro": "29.00", "teams": "199.00"},
}


@pytest.fixture
def clock() -> Clock:
    """Give the application's clock: it is the first second of March 2024."""
    return Clock(MARCH)


@pytest.fixture
def application(database_url: str, clock: Clock) -> Iterator[Application]:
    """Give an application with the plugin enabled."""
    app = make_application(
        database_url, enable=["invoice"], sections={"invoice": SECTION}, clock=clock
    )
    yield app
    app.close()


@pytest.fixture
def organization(application: Application) -> Organization:
    """Give an organization on Free."""
    return make_organization(application, plan="free")
