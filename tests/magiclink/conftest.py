"""An application that mails links to a real SMTP server, browsers, and the time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest

from ipcraft.plugin import Application
from ipcraft.testing import Clock, make_application
from ipcraft.testing.services import MailSink

from .browsers import PUBLIC_URL, Browser

NOON = 1_772_366_400

Make = Callable[..., Application]


@pytest.fixture
def sink() -> Iterator[MailSink]:
    """Give an SMTP server."""
    with MailSink() as sink:
        yield sink


@pytest.fixture
def clock() -> Clock:
    """Give a clock that stands still."""
    return Clock(NOON)


@pytest.fixture
def make(database_url: str, sink: MailSink, clock: Clock) -> Iterator[Make]:
    """Give a way to make applications on one database; all are closed at the end."""
    made: list[Application] = []

    def make(
        *, sections: Mapping[str, Mapping[str, object]] | None = None, **settings: object
    ) -> Application:
        given = {
            "smtp_url": sink.url,
            "mail_from": "ipcraft@example.com",
            "public_url": PUBLIC_URL,
            "signup": "open",
            **settings,
        }
        app = make_application(database_url, sections=sections, settings=given, clock=clock)
        made.append(app)
        return app

    yield make
    for app in made:
        app.close()


@pytest.fixture
def app(make: Make) -> Application:
    """Give an application where everybody may sign up."""
    return make()


@pytest.fixture
def browser(app: Application) -> Browser:
    """Give a browser of somebody."""
    return Browser(app)
