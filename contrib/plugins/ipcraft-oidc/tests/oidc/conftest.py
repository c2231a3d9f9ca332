"""An issuer, an application that trusts it, and an organization called Acme in that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from joserfc.jwk import Key

from ipcraft.plugin import Application
from ipcraft.testing import Clock, make_application
from ipcraft_accounts import Member, create_organization

from .browser import CALLBACK, Browser
from .issuer import CLIENT_ID, SECRET, Issuer, new_key

NOON = 1_772_366_400
"""2026-03-01T12:00:00Z"""

PUBLIC_URL = "http://ipam.example.com"
ROLES = {"ipam-admins": "admin", "ipam-editors": "editor", "everybody": "viewer"}

Open = Callable[..., Application]
"""Open an application with other settings of the plugin."""


@pytest.fixture(scope="session")
def keys() -> list[Key]:
    """Give RSA keys, which take long to make."""
    return [new_key() for _ in range(3)]


@pytest.fixture
def clock() -> Clock:
    """Give the clock of the application and of the issuer."""
    return Clock(NOON)


@pytest.fixture
def issuer(clock: Clock, keys: list[Key]) -> Iterator[Issuer]:
    """Give an issuer."""
    with Issuer(clock=clock, redirect_uri=PUBLIC_URL + CALLBACK, key=keys[0]) as server:
        yield server


def section(url: str, **settings: Any) -> dict[str, Any]:
    """Give the plugin's settings for an issuer."""
    return {
        "issuer": url,
        "client_id": CLIENT_ID,
        "client_secret": SECRET,
        "organization": "Acme",
        "roles": ROLES,
        **settings,
    }


@pytest.fixture
def opened(database_url: str, clock: Clock, issuer: Issuer) -> Iterator[Open]:
    """Give a way to open applications, each of which is closed in the end."""
    with ExitStack() as closing:

        def make(*, public_url: str = PUBLIC_URL, **settings: Any) -> Application:
            app = make_application(
                database_url,
                enable=["oidc"],
                sections={"oidc": section(issuer.url, **settings)},
                settings={"public_url": public_url},
                clock=clock,
            )
            closing.callback(app.storage.close)
            return app

        yield make


@pytest.fixture
def application(opened: Open) -> Application:
    """Give an application that trusts the issuer."""
    return opened()


@pytest.fixture
def owner(application: Application) -> Member:
    """Make the organization and its owner."""
    return Member(
        *create_organization(application.storage, name="Acme", owner_email="root@example.com")
    )


@pytest.fixture
def browser(application: Application, owner: Member) -> Browser:
    """Give the browser of somebody who is not signed in."""
    return Browser(application)
