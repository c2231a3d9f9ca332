"""An organization, and clients that speak for it with keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import falcon.testing
import pytest

from ipcraft.plugin import Application
from ipcraft.testing import Client
from ipcraft_accounts import Organization, User, create_organization
from ipcraft_apikeys import NewKey, create_key

Ask = Callable[..., falcon.testing.Result]
"""Send one request: method, path, and as options `key` and `json`."""


@pytest.fixture
def member(application: Application) -> tuple[Organization, User]:
    """Make an organization and its owner."""
    return create_organization(application.storage, name="Acme", owner_email="ada@example.com")


@pytest.fixture
def make_key(application: Application, member: tuple[Organization, User]) -> Callable[..., NewKey]:
    """Give a way to make keys of the organization without asking over HTTP."""
    organization, user = member

    def make(role: str = "owner", *, name: str = "CI", expires_at: int | None = None) -> NewKey:
        return application.storage.transact(
            organization.id,
            lambda tx: create_key(
                tx,
                name=name,
                role=role,
                user_id=user.id,
                maker_role="owner",
                expires_at=expires_at,
            ),
        )

    return make


@pytest.fixture
def ask(application: Application) -> Ask:
    """Give a way to send requests to the application."""
    client = Client(application)

    def ask(
        method: str, path: str, *, key: str | None = None, **options: Any
    ) -> falcon.testing.Result:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return client.request(method, path, headers=headers, **options)

    return ask
