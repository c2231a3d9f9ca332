"""A chat on a loopback port, and an application that tells it what changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from ipcraft.plugin import Application
from ipcraft.testing import make_application

from .room import Room

Make = Callable[..., Application]


@pytest.fixture
def room() -> Iterator[Room]:
    """Give a chat."""
    with Room() as room:
        thread = threading.Thread(target=room.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield room
        room.shutdown()
        thread.join()


@pytest.fixture
def make(database_url: str, room: Room) -> Iterator[Make]:
    """Give a way to make an application that tells the chat, and begins to."""
    made: list[Application] = []

    def make(allowed: tuple[str, ...] = ("127.0.0.1",), **section: object) -> Application:
        app = make_application(
            database_url,
            enable=["slack"],
            sections={"slack": {"url": room.url, **section}},
            settings={"allowed_networks": list(allowed)},
        )
        made.append(app)
        app.drains.begin()
        return app

    yield make
    for app in made:
        app.close()
