"""A server that the operator names is reached wherever it is, and no other with its name."""

from __future__ import annotations

import pytest

from ipcraft.plugin import Application, Refused

from .conftest import Receive
from .receivers import serve


def test_the_trusted_server_is_reached(application: Application, receive: Receive) -> None:
    """Also on loopback, where nobody else may go."""
    receiver = receive(serve([]))
    url = receiver.url()
    with pytest.raises(Refused):
        application.outbound.post(url, headers={}, body=b"")
    trusting = application.outbound.trusting(f"http://127.0.0.1:{receiver.port}")
    assert trusting.post(url, headers={}, body=b"").status == 200


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:8443/",
        "http://127.0.0.1:8444/",
        "http://127.0.0.2:8443/",
        "http://example.com:8443/",
    ],
)
def test_no_other_is(application: Application, url: str) -> None:
    """Scheme, host and port are the named ones."""
    trusting = application.outbound.trusting("http://127.0.0.1:8443")
    with pytest.raises(Refused):
        trusting.post(url, headers={}, body=b"")


def test_a_bare_connection_is_no_way_around(application: Application) -> None:
    """Trust is in one server, however it is spoken to."""
    trusting = application.outbound.trusting("http://127.0.0.1:8443")
    with pytest.raises(Refused):
        trusting.connect("127.0.0.2", 8443)
    with pytest.raises(Refused):
        trusting.connect("127.0.0.1", 8444)
    with pytest.raises(Refused):
        trusting.addresses("127.0.0.2")
