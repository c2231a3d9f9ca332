"""The application reaches others as its settings say."""

from __future__ import annotations

from threading import Event

import pytest

from ipcraft.plugin import Application, Refused
from ipcraft.testing import make_application
from ipcraft.testing.services import DNSServer

from .conftest import Receive
from .receivers import Visit, serve


def test_nothing_special_is_reached_unless_allowed(application: Application) -> None:
    """An application without settings refuses loopback."""
    with pytest.raises(Refused):
        application.outbound.check("http://localhost/")
    application.outbound.check("https://example.com/")


def test_the_settings_count(database_url: str, receive: Receive, name_server: DNSServer) -> None:
    """What is allowed is reached, by the operator's name servers; the end closes connections."""
    ended = Event()

    def script(visit: Visit) -> None:
        serve([])(visit)
        ended.set()

    receiver = receive(script)
    name_server.tell("hooks.example", "127.0.0.1")
    app = make_application(
        database_url,
        settings={
            "allowed_networks": ["127.0.0.1"],
            "outbound_ports": [receiver.port],
            "outbound_name_servers": [name_server.address],
        },
    )
    answer = app.outbound.post(receiver.url(host="hooks.example"), headers={}, body=b"")
    assert (answer.status, answer.body) == (200, b"ok")
    with pytest.raises(Refused):
        app.outbound.check("http://127.0.0.2/")
    app.close()
    assert ended.wait(5)
