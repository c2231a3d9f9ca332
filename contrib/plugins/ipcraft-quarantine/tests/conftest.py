"""An application with the plugin enabled, an organization in it, and a clock that tests set."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ipcraft.plugin import Application
from ipcraft.testing import Client, Clock, Organization, make_application

NOON = 1_772_366_400
"""2026-03-01T12:00:00Z"""


@pytest.fixture
def clock() -> Clock:
    """Give the application's clock."""
    return Clock(NOON)


@pytest.fixture
def application(database_url: str, clock: Clock) -> Iterator[Application]:
    """Give an application whose released addresses rest for two hours."""
    app = make_application(
        database_url, enable=["quarantine"], sections={"quarantine": {"hours": 2}}, clock=clock
    )
    yield app
    app.storage.close()


@pytest.fixture
def client(organization: Organization) -> Client:
    """Give a client that may do everything."""
    return organization.client
