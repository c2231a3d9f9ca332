"""An application with this plugin enabled, instead of the built-in ones alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ipcraft.plugin import Application
from ipcraft.testing import make_application


@pytest.fixture
def application(database_url: str) -> Iterator[Application]:
    """Give an application with the plugin enabled."""
    app = make_application(database_url, enable=["sparse"])
    yield app
    app.storage.close()
