"""An organization at a time that tests set."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ipcraft.plugin import Application
from ipcraft.testing import Clock, make_application

NOON = 1_772_366_400


@pytest.fixture
def clock() -> Clock:
    """Give a clock that stands still."""
    return Clock(NOON)


@pytest.fixture
def application(database_url: str, clock: Clock) -> Iterator[Application]:
    """Give the application of the built-in plugins at a time that tests set."""
    app = make_application(database_url, clock=clock)
    yield app
    app.close()
