"""Applications that may send to loopback, receivers, and dispatch that is done step by step."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ipcraft.plugin import Application
from ipcraft.testing import Clock, Organization, make_application, make_organization
from ipcraft.testing.services import WebhookReceiver

from .dispatching import Dispatching

NOON = 1_800_000_000.0


@pytest.fixture
def clock() -> Clock:
    """Give the clock of application and receiver."""
    return Clock(NOON)


@pytest.fixture
def application(database_url: str, clock: Clock) -> Iterator[Application]:
    """Give an application that may reach loopback."""
    app = make_application(
        database_url, settings={"allowed_networks": ["127.0.0.0/8"]}, clock=clock
    )
    yield app
    app.close()


@pytest.fixture
def organization(application: Application) -> Organization:
    """Give an organization with a client of its owner."""
    return make_organization(application)


@pytest.fixture
def receiver(clock: Clock) -> Iterator[WebhookReceiver]:
    """Give a receiver."""
    with WebhookReceiver(clock=clock) as receiver:
        yield receiver


@pytest.fixture
def dispatching(application: Application) -> Iterator[Dispatching]:
    """Give a way to have everything done that is due."""
    dispatching = Dispatching(application)
    yield dispatching
    dispatching.close()
