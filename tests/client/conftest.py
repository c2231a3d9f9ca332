"""A client of the served process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from ipcraft.client import Client

if TYPE_CHECKING:
    from ipcraft.testing.fixtures import Org, Served


@pytest.fixture
def org(served: Served) -> Org:
    """Give an organization of the served process."""
    return served.organization()


@pytest.fixture
def ipam(served: Served, org: Org) -> Iterator[Client]:
    """Give a client with its owner's key."""
    with Client(served.url, key=org.key) as client:
        yield client
