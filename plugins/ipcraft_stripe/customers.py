"""Customers: each organization's account at Stripe, as far as we know it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, Integer, null, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from ipcraft.plugin import Reader, Row, Seconds, Statement, Storage, Transaction, given, own
from ipcraft_stripe.subscriptions import Standing
from ipcraft_stripe.tables import customers

_c = customers.c


@dataclass(frozen=True, slots=True)
class Customer:
    """Be an organization's row; a time is in seconds since the epoch."""

    customer_id: str | None
    attempt: int
    session_id: str | None
    session_plan: str | None
    looks: int
    seen: int
    plan: str | None
    subscriptions: int
    grace_until: int | None


_COLUMNS = (
    _c.customer_id,
    _c.attempt,
    _c.session_id,
    _c.session_plan,
    _c.looks,
    _c.seen,
    _c.plan,
    _c.subscriptions,
    _c.grace_until,
)
_OWN = _c.organization_id == own()
_ONE = Statement(select(*_COLUMNS).where(_OWN), Customer)
_ONE_TO_CHANGE = Statement(select(*_COLUMNS).where(_OWN).with_for_update(), Customer)
_ADD = Statement(insert(customers).on_conflict_do_nothing(index_elements=["organization_id"]))
_NAME = Statement(
    update(customers)
    .where(_OWN, _c.customer_id.is_(None))
    .values(customer_id=given("new_customer_id"))
)
_FORGET = Statement(
    update(customers)
    .where(_OWN, _c.customer_id == given("gone"))
    .values(customer_id=null(), session_id=null(), session_plan=null(), attempt=_c.attempt + 1)
)
_TRY_AGAIN = Statement(
    update(customers)
    .where(_OWN, _c.attempt == given("tried", Integer()))
    .values(attempt=_c.attempt + 1, session_id=null(), session_plan=null())
)
_BEGIN = Statement(
    update(customers)
    .where(
        _OWN,
        _c.attempt == given("tried", Integer()),
        or_(_c.session_id.is_(None), _c.session_id == given("new_session_id")),
    )
    .values(session_id=given("new_session_id"), session_plan=given("new_session_plan"))
)
_LOOK = Statement(
    update(customers)
    .where(_OWN, _c.customer_id.is_not(None))
    .values(looks=_c.looks + 1)
    .returning(_c.customer_id, _c.looks)
)
_SETTLE = Statement(
    update(customers)
    .where(_OWN)
    .values(
        seen=given("new_seen", BigInteger()),
        plan=given("new_plan"),
        subscriptions=given("new_subscriptions", Integer()),
        grace_until=given("new_grace_until", Seconds),
        checked_at=given("now", Seconds),
    )
)
_CHECKED = Statement(update(customers).where(_OWN).values(checked_at=given("now", Seconds)))
_OWNER_OF = Statement(select(_c.organization_id).where(_c.customer_id == given("customer_id")), str)
_UNCHECKED: Statement[Row] = Statement(
    select(_c.organization_id)
    .where(_c.customer_id.is_not(None), _c.checked_at < given("before", Seconds))
    .order_by(_c.checked_at)
    .limit(given("limit", BigInteger()))
)


def find(reader: Reader) -> Customer | None:
    """Give the organization's row, if it ever bought."""
    return reader.one(_ONE)


def take(tx: Transaction) -> Customer:
    """Give the organization's row, a new one if there is none, and keep others from changing it."""
    tx.write(
        _ADD,
        customer_id=None,
        attempt=0,
        session_id=None,
        session_plan=None,
        looks=0,
        seen=0,
        plan=None,
        subscriptions=0,
        grace_until=None,
        checked_at=tx.now,
    )
    found = tx.one(_ONE_TO_CHANGE)
    assert found is not None
    return found


def name(tx: Transaction, customer_id: str) -> str:
    """Note the customer that was made, and give the one that counts: the first."""
    known = take(tx).customer_id
    if known is None:
        tx.write(_NAME, new_customer_id=customer_id)
    return known or customer_id


def forget(tx: Transaction, customer_id: str) -> None:
    """Note that a customer was deleted at Stripe: the next who buys gets another one."""
    tx.write(_FORGET, gone=customer_id)


def try_again(tx: Transaction, *, attempt: int) -> None:
    """Give up an attempt, so that the next one asks Stripe anew; nothing if another is on."""
    tx.write(_TRY_AGAIN, tried=attempt)


def begin_session(tx: Transaction, session_id: str, *, plan: str, attempt: int) -> bool:
    """Note the checkout that was begun, and tell whether it counts: others may have gone on."""
    return tx.execute(_BEGIN, new_session_id=session_id, new_session_plan=plan, tried=attempt) == 1


def look(storage: Storage, organization_id: str) -> tuple[str, int] | None:
    """Give whom to look at, and the number of the look that is about to be taken.

    A look with a higher number began later, so what it sees is no older.
    """
    found = storage.transact(organization_id, lambda tx: tx.one(_LOOK))
    return None if found is None else (found[0], found[1])


def settle(tx: Transaction, standing: Standing, *, seen: int) -> None:
    """Note what the organization is entitled to, and which look has shown it."""
    tx.write(
        _SETTLE,
        new_seen=seen,
        new_plan=standing.plan,
        new_subscriptions=standing.subscriptions,
        new_grace_until=standing.grace_until,
        now=tx.now,
    )


def put_off(storage: Storage, organization_id: str) -> None:
    """Note that there is no need to look at the customer before the next night."""
    storage.transact(organization_id, lambda tx: tx.write(_CHECKED, now=tx.now))


def owner_of(reader: Reader, customer_id: str) -> str | None:
    """Give the organization of a customer, across organizations."""
    return reader.one(_OWNER_OF, customer_id=customer_id)


def unchecked(storage: Storage, *, before: int, limit: int) -> list[str]:
    """Give organizations whose customers were last looked at before this time."""
    with storage.read_system() as tx:
        return [row[0] for row in tx.all(_UNCHECKED, before=before, limit=limit)]
