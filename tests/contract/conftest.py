"""Organizations to ask with, and keys of lower roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .clients import Client
from .inventory import add_key
from .kept import keep_promises

if TYPE_CHECKING:
    from ipcraft.testing.fixtures import Org, Served


def kept(org: Org) -> Org:
    """Have each answer to the organization held against the document."""
    org.session.hooks["response"] = [keep_promises]
    return org


@pytest.fixture
def org(served: Served) -> Org:
    """Make an organization that nobody else uses."""
    return kept(served.organization())


@pytest.fixture
def other(served: Served) -> Org:
    """Make a second organization, a stranger to the first."""
    return kept(served.organization())


@pytest.fixture
def client(served: Served, org: Org) -> Client:
    """Speak for the organization with bodies and headers of one's own."""
    return Client(url=served.url, key=org.key)


@pytest.fixture
def anonymous(served: Served) -> Client:
    """Speak without credentials."""
    return Client(url=served.url, key=None)


@pytest.fixture
def viewer(served: Served, org: Org) -> Client:
    """Speak for the organization in the role that may only look."""
    return Client(url=served.url, key=add_key(org, role="viewer")["key"])


@pytest.fixture
def editor(served: Served, org: Org) -> Client:
    """Speak for the organization in the role that may change the inventory."""
    return Client(url=served.url, key=add_key(org, role="editor")["key"])


@pytest.fixture
def admin(served: Served, org: Org) -> Client:
    """Speak for the organization in the role that also manages keys."""
    return Client(url=served.url, key=add_key(org, role="admin")["key"])
