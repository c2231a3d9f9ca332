"""An application with a plan so small that it is soon full."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ipcraft.plugin import Application
from ipcraft.testing import Organization, make_application, make_organization

TINY = {
    "users": 2,
    "sections": 2,
    "subnets": 4,
    "addresses": 3,
    "api_access": "read-write",
    "rate_limit": "unlimited",
    "activity_days": 7,
}
SECTIONS = {"plans": {"catalogue": {"tiny": TINY}}}


@pytest.fixture
def application(database_url: str) -> Iterator[Application]:
    """Give an application whose catalogue has the plan `tiny`."""
    app = make_application(database_url, sections=SECTIONS)
    yield app
    app.close()


@pytest.fixture
def tiny(application: Application) -> Organization:
    """Make an organization with the plan `tiny`."""
    return make_organization(application, plan="tiny")
