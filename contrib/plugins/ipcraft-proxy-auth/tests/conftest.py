"""An application behind a proxy at 10.0.9.1, and what arrives from there and from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import falcon.testing
import pytest

from ipcraft.plugin import Application
from ipcraft.testing import Client, make_application
from ipcraft_accounts import create_organization

SETTINGS = {
    "trusted_networks": ["10.0.9.0/28", "fd00::9"],
    "organization": "Acme",
    "roles": {"network-admins": "admin", "noc": "editor", "Everybody": "viewer"},
}


class Front:
    """Send requests to an application as its proxy, or as somebody else does."""

    def __init__(self, app: Application) -> None:
        self.app = app
        self.client = Client(app)

    def get(
        self,
        path: str = "/api/v1/auth/me",
        *,
        peer: str = "10.0.9.1",
        headers: dict[str, str] | None = None,
        **person: str,
    ) -> falcon.testing.Result:
        """Send a GET; `user`, `email`, `name` and `groups` are the proxy's headers."""
        return self.request("GET", path, peer=peer, headers=headers, **person)

    def request(
        self,
        method: str,
        path: str,
        *,
        peer: str = "10.0.9.1",
        headers: dict[str, str] | None = None,
        json: Any = None,
        **person: str,
    ) -> falcon.testing.Result:
        """Send any request."""
        named = {f"Remote-{key.title()}": as_wsgi(value) for key, value in person.items()}
        options = {} if json is None else {"json": json}
        return self.client.request(
            method, path, headers={**named, **(headers or {})}, remote_addr=peer, **options
        )


def as_wsgi(text: str) -> str:
    """Give a header as a server gives it to an application: a character per byte of UTF-8."""
    return text.encode().decode("latin-1")


@pytest.fixture
def make_front(database_url: str) -> Iterator[Callable[..., Front]]:
    """Give an application with an organization; `settings` are the core's, the rest differs."""
    opened = ExitStack()

    def make(*, settings: dict[str, Any] | None = None, **differing: Any) -> Front:
        app = make_application(
            database_url,
            enable=["proxy-auth"],
            sections={"proxy-auth": {**SETTINGS, **differing}},
            settings=settings,
        )
        opened.callback(app.storage.close)
        create_organization(app.storage, name="Acme", owner_email="founder@example.com")
        return Front(app)

    with opened:
        yield make


@pytest.fixture
def front(make_front: Callable[..., Front]) -> Front:
    """Give the application with settings that work."""
    return make_front()
