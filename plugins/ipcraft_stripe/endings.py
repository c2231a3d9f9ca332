"""Endings: who is gone pays no more.

The row that says so is of no organization, and outlasts the one that is deleted.
"""

from __future__ import annotations

from sqlalchemy import delete, insert, select

from ipcraft.plugin import Application, Statement, Transaction, given
from ipcraft_stripe import customers
from ipcraft_stripe.gateway import Gateway, StripeFailed
from ipcraft_stripe.tables import endings

_ADD = Statement(insert(endings))
_ALL = Statement(select(endings.c.customer_id).order_by(endings.c.noted_at), str)
_DONE = Statement(delete(endings).where(endings.c.customer_id == given("of")))


def note_ending(tx: Transaction) -> None:
    """Have everything cancelled that the transaction's organization pays for."""
    customer = customers.find(tx)
    if customer is not None and customer.customer_id is not None:
        tx.write(_ADD, customer_id=customer.customer_id, noted_at=tx.now)


def end_all(app: Application, gateway: Gateway) -> None:
    """Cancel what was noted. Raises `StripeFailed` when that has to be tried again."""
    with app.storage.read_system() as tx:
        noted = tx.all(_ALL)
    for customer_id in noted:
        try:
            gateway.cancel_subscriptions(customer_id)
        except StripeFailed as error:
            if error.missing is None:
                raise
        _forget(app, customer_id)


def _forget(app: Application, customer_id: str) -> None:
    app.storage.transact_system(lambda tx: tx.write(_DONE, of=customer_id))
