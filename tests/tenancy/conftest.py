"""An application whose webhooks may lead to a receiver on this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ipcraft.plugin import Application
from ipcraft.testing import make_application


@pytest.fixture
def application(database_url: str) -> Iterator[Application]:
    """Give an application that may reach loopback."""
    app = make_application(database_url, settings={"allowed_networks": ["127.0.0.0/8"]})
    yield app
    app.close()
