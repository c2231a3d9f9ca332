"""What is kept of the quarantine in the database."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from ipcraft_quarantine import entries
from ipcraft_quarantine.tables import quarantine
from sqlalchemy import func, select

from ipcraft.plugin import Application, Invalid, Statement, Transaction
from ipcraft.testing import Clock, Organization

LOW, HIGH = (4 << 32) + 1, (4 << 32) + 40
COUNT = Statement(select(func.count()).select_from(quarantine))


def test_ended_entries_go_away(
    application: Application, organization: Organization, clock: Clock
) -> None:
    """Each release clears away up to 16 entries that have ended, so that few are ever left."""
    _put(application, organization, range(LOW, LOW + 20))
    clock.advance(hours=1)
    _put(application, organization, [HIGH])
    assert _count(application, organization) == 20 - 16 + 1
    _put(application, organization, [HIGH + 1])
    assert _count(application, organization) == 2


def test_a_transaction_that_fails_leaves_no_entry(
    application: Application, organization: Organization
) -> None:
    """An entry is kept with the change that made it or not at all."""

    def work(tx: Transaction) -> None:
        entries.put(tx, "", LOW, ends_at=tx.now + 3600)
        raise Invalid("no")

    with pytest.raises(Invalid):
        application.storage.transact(organization.id, work)
    assert _count(application, organization) == 0


def _put(app: Application, organization: Organization, ips: Iterable[int]) -> None:
    def work(tx: Transaction) -> None:
        for ip in ips:
            entries.put(tx, "", ip, ends_at=tx.now + 3600)

    app.storage.transact(organization.id, work)


def _count(app: Application, organization: Organization) -> int:
    with app.storage.read(organization.id) as tx:
        return int(tx.value(COUNT))
