"""Events: what Stripe tells, written down once, and each acted upon once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, null, select, update
from sqlalchemy.dialects.postgresql import insert

from ipcraft.plugin import (
    Application,
    Invalid,
    Seconds,
    Statement,
    Transaction,
    given,
    own,
    parse_json,
)
from ipcraft_stripe import customers
from ipcraft_stripe.tables import events

FOLLOW = "stripe.follow"
"""The job that acts upon an event."""

DISPUTES = frozenset({"charge.dispute.created", "charge.dispute.closed"})
"""Types that are about a charge, and name no customer."""

_WITH_CUSTOMER = frozenset(
    {
        "checkout.session.async_payment_failed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.completed",
        "customer.subscription.created",
        "customer.subscription.deleted",
        "customer.subscription.paused",
        "customer.subscription.resumed",
        "customer.subscription.updated",
        "invoice.paid",
        "invoice.payment_failed",
    }
)
_WITHOUT = frozenset({"customer.deleted"})
TYPES = _WITH_CUSTOMER | _WITHOUT | DISPUTES
"""What is acted upon; everything else is thanked for and forgotten."""

KEPT = 60 * 86_400
"""Seconds for which an event is remembered: Stripe sends again for at most 30 days."""

_LONGEST = 255


@dataclass(frozen=True, slots=True)
class Told:
    """Be an event as it came: `about` is the customer's id, or the charge's of a dispute."""

    id: str
    type: str
    object_id: str
    about: str
    created_at: int


@dataclass(frozen=True, slots=True)
class Stored:
    """Be an event as it is kept."""

    id: str
    type: str
    object_id: str
    about: str
    organization_id: str | None
    processed_at: int | None


_c = events.c
_ADD = Statement(insert(events).on_conflict_do_nothing(index_elements=["id"]))
_ONE = Statement(
    select(_c.id, _c.type, _c.object_id, _c.about, _c.organization_id, _c.processed_at).where(
        _c.id == given("id")
    ),
    Stored,
)
_ADOPT = Statement(
    update(events).where(_c.id == given("of")).values(organization_id=given("owner"))
)
_PROCESSED = Statement(
    update(events)
    .where(_c.organization_id == own(), _c.id == given("of"), _c.processed_at.is_(None))
    .values(processed_at=given("now", Seconds))
)
_DROP = Statement(
    update(events)
    .where(_c.id == given("of"), _c.organization_id.is_(null()))
    .values(processed_at=given("now", Seconds))
)
_TIDY = Statement(delete(events).where(_c.received_at < given("before", Seconds)))


def read_event(body: bytes) -> Told | None:
    """Read the body of an event; None for one that nobody acts upon. Raises `Invalid`."""
    event = parse_json(body)
    if not isinstance(event, dict) or event.get("object") != "event":
        raise _malformed("it is not an event")
    kind = _text(event, "type")
    identifier, created = _text(event, "id"), event.get("created")
    if not isinstance(created, int) or isinstance(created, bool) or not 0 <= created < 2**40:
        raise _malformed("created is no time")
    data = event.get("data")
    about = data.get("object") if isinstance(data, dict) else None
    if not isinstance(about, dict):
        raise _malformed("it is about no object")
    if kind not in TYPES:
        return None
    who = _who(kind, about)
    if who is None:
        return None
    return Told(identifier, kind, _text(about, "id"), who, created)


def store(app: Application, told: Told) -> None:
    """Write an event down and have it acted upon, unless it is known or nobody's here."""

    def work(tx: Transaction) -> None:
        dispute = told.type in DISPUTES
        owner = None if dispute else customers.owner_of(tx, told.about)
        if owner is None and not dispute:
            return
        added = tx.execute(
            _ADD,
            id=told.id,
            organization_id=owner,
            type=told.type,
            object_id=told.object_id,
            about=told.about,
            created_at=told.created_at,
            received_at=tx.now,
            processed_at=None,
        )
        if added:
            app.enqueue(FOLLOW, {"event_id": told.id}, tx=tx)

    app.storage.transact_system(work)


def find(app: Application, event_id: str) -> Stored | None:
    """Give an event, if it is still kept."""
    return app.storage.look_up(_ONE, id=event_id)


def adopt(app: Application, event_id: str, owner: str) -> None:
    """Note whose an event is."""
    app.storage.transact_system(lambda tx: tx.write(_ADOPT, of=event_id, owner=owner))


def drop(app: Application, event_id: str) -> None:
    """Note that an event is nobody's here."""
    app.storage.transact_system(lambda tx: tx.write(_DROP, of=event_id, now=tx.now))


def finish(tx: Transaction, event_id: str) -> bool:
    """Note that an event is acted upon by this transaction; False where it was before."""
    return tx.execute(_PROCESSED, of=event_id, now=tx.now) == 1


def tidy(app: Application) -> None:
    """Forget events that nobody sends again."""
    before = int(app.clock()) - KEPT
    app.storage.transact_system(lambda tx: tx.write(_TIDY, before=before))


def _who(kind: str, about: Mapping[str, Any]) -> str | None:
    """Give what leads to the customer; None where there is none, as with what others sell."""
    if kind in _WITHOUT:
        return _text(about, "id")
    name = "charge" if kind in DISPUTES else "customer"
    return None if about.get(name) is None else _text(about, name)


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
        raise _malformed(f"{name} is no text of 1 to {_LONGEST} characters")
    return value


def _malformed(reason: str) -> Invalid:
    return Invalid(f"The event cannot be read: {reason}", code="malformed_event")
