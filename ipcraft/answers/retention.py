"""Retention: an answer goes when its day is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, delete, select, tuple_

from ipcraft.answers.keeping import KEPT_SECONDS
from ipcraft.answers.tables import kept_answers
from ipcraft.data.statements import Statement, given
from ipcraft.data.transactions import Transaction

if TYPE_CHECKING:
    from ipcraft.contributions import Storage

AT_ONCE = 1000
"""Answers that are deleted in one transaction."""

_c = kept_answers.c
_oldest = (
    select(_c.organization_id, _c.key)
    .where(_c.created_at <= given("until", BigInteger()))
    .order_by(_c.created_at)
    .limit(AT_ONCE)
)
_DELETE = Statement(delete(kept_answers).where(tuple_(_c.organization_id, _c.key).in_(_oldest)))


def delete_old_answers(storage: Storage) -> None:
    """Delete the answers of every organization that are given no more."""

    def work(tx: Transaction) -> int:
        return tx.execute(_DELETE, until=tx.now - KEPT_SECONDS)

    while storage.transact_system(work) == AT_ONCE:
        pass
