"""A chat that keeps what is posted, and an application that posts what changes to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from ipcraft.plugin import Application
from ipcraft.testing import Clock, Organization, make_application, make_organization
from ipcraft.testing.services import WebhookReceiver

NOON = 1_772_366_400
"""2026-03-01T12:00:00Z"""

Open = Callable[..., Application]
"""Open an application that posts to the URLs of organizations."""


@pytest.fixture
def clock() -> Clock:
    """Give the application's clock."""
    return Clock(NOON)


@pytest.fixture
def chat() -> Iterator[WebhookReceiver]:
    """Give a chat."""
    with WebhookReceiver() as receiver:
        yield receiver


@pytest.fixture
def organization(database_url: str) -> Organization:
    """Give an organization that is there before the plugin is."""
    app = make_application(database_url)
    organization = make_organization(app)
    app.close()
    return organization


@pytest.fixture
def open_with(database_url: str, clock: Clock) -> Iterator[Open]:
    """Give a way to open applications, which are closed at the end."""
    with ExitStack() as stack:

        def open_with(urls: dict[str, str], **section: object) -> Application:
            app = make_application(
                database_url,
                enable=["slack"],
                sections={"slack": {"urls": urls, **section}},
                settings={"allowed_networks": ["127.0.0.0/8"]},
                clock=clock,
            )
            stack.callback(app.close)
            return app

        yield open_with


@pytest.fixture
def application(open_with: Open, organization: Organization, chat: WebhookReceiver) -> Application:
    """Give an application with a chat for the organization."""
    return open_with({organization.id: chat.url})
