"""An application whose work gathers, and a sender."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ipcraft.plugin import Application, Identity, Transaction
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


@pytest.fixture
def transactions(application: Application, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note the attempts of every transaction that is begun for an organization from now on."""
    attempts: list[int] = []
    transact = application.storage.transact

    def noted(organization_id: str, work: Callable[[Transaction], Any], **options: Any) -> Any:
        def run(tx: Transaction) -> Any:
            attempts.append(tx.attempt)
            return work(tx)

        return transact(organization_id, run, **options)

    monkeypatch.setattr(application.storage, "transact", noted)
    return attempts
