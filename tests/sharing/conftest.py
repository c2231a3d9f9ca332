"""An application whose work gathers, and a sender."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ipcraft.plugin import Application, Identity
from ipcraft.testing import Organization

from .gathering import Gathering, gathering, sender


@pytest.fixture
def identity(organization: Organization) -> Identity:
    """Give a sender."""
    return sender(organization)


@pytest.fixture
def way(application: Application, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gathering]:
    """Give the way of work to the application."""
    with gathering(application, monkeypatch) as made:
        yield made
