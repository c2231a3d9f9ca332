"""A NATS server, and applications that publish to it."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from ipcraft.plugin import Application
from ipcraft.testing import Clock, make_application

from .server import NatsServer

NOON = 1_772_366_400
"""2026-03-01T12:00:00Z"""

Open = Callable[..., Application]
"""Open an application with other settings of the plugin."""


@pytest.fixture(autouse=True)
def tidy() -> Iterator[None]:
    """Have what a connection leaves behind told in the test that left it."""
    yield
    gc.collect()


@pytest.fixture
def clock() -> Clock:
    """Give the application's clock."""
    return Clock(NOON)


@pytest.fixture
def server() -> Iterator[NatsServer]:
    """Give a server that lets everybody in."""
    with NatsServer() as server:
        yield server


@pytest.fixture
def open_with(database_url: str, clock: Clock) -> Iterator[Open]:
    """Give a way to open applications, which are closed at the end."""
    with ExitStack() as stack:

        def open_with(**section: object) -> Application:
            app = make_application(
                database_url, enable=["nats"], sections={"nats": section}, clock=clock
            )
            stack.callback(app.close)
            stack.callback(app.event_sinks["nats"].close)  # type: ignore[attr-defined]  # ours has one
            return app

        yield open_with


@pytest.fixture
def application(open_with: Open, server: NatsServer) -> Application:
    """Give an application that publishes to the server."""
    return open_with(servers=[server.url])
