"""Notices: mail to the owners about what they pay, or do not.

The order for it is part of the transaction that has found it out: nothing is told twice, nothing
that is not so, and nothing is forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ipcraft.plugin import Application, Letter, Transaction, known_public_url, rfc3339
from ipcraft_stripe import customers, owners
from ipcraft_stripe.events import Stored

NOTICE = "stripe.notice"
"""The job that mails one owner."""

_FAILED = "failed"
_ENDED = "ended"
_DOUBLE = "double"
_DISPUTED = "disputed"


def tell_of_failure(app: Application, tx: Transaction) -> None:
    """Have the owners told that a payment has failed."""
    _order(app, tx, {"about": _FAILED})


def tell_of_end(app: Application, tx: Transaction, plan: str) -> None:
    """Have the owners told that a plan has ended."""
    _order(app, tx, {"about": _ENDED, "plan": plan})


def tell_of_double(app: Application, tx: Transaction) -> None:
    """Have the owners told that they pay twice."""
    _order(app, tx, {"about": _DOUBLE})


def tell_of_dispute(app: Application, tx: Transaction, event: Stored) -> None:
    """Have the owners told of a payment that was disputed, or how that has ended."""
    _order(app, tx, {"about": _DISPUTED, "closed": event.type == "charge.dispute.closed"})


def send_notice(app: Application, payload: Mapping[str, Any]) -> None:
    """Mail an owner, unless there is no need any more.

    Raises `Unavailable` when that may succeed later, `Hopeless` when the mail is refused.
    """
    with app.storage.read(payload["organization_id"]) as tx:
        email = owners.email_of(tx, payload["user_id"])
        name = owners.organization_name(tx)
        customer = customers.find(tx)
    if email is None or customer is None:
        return
    until = customer.grace_until
    if payload["about"] == _FAILED and until is None:
        return  # it was paid meanwhile
    subject, text = _words(payload, name, until=until)
    text += f"\nLook after it at {known_public_url(app) or 'IPCraft'} (billing).\n"
    app.mailer.send(Letter(to=email, subject=subject, text=text))


def _order(app: Application, tx: Transaction, payload: Mapping[str, Any]) -> None:
    for user_id in owners.owners(tx):
        whom = {"organization_id": tx.organization_id, "user_id": user_id}
        app.enqueue(NOTICE, {**payload, **whom}, tx=tx)


def _words(payload: Mapping[str, Any], name: str, *, until: int | None) -> tuple[str, str]:
    """Give the subject and what is to be said."""
    match payload["about"]:
        case "failed":
            return "A payment has failed", (
                f"The last payment for {name} has failed. The plan goes on until "
                f"{rfc3339(until or 0)}; by then please pay, or give another card.\n"
            )
        case "ended":
            return "Your plan has ended", (
                f"The plan {payload['plan']} of {name} has ended. What you have stays and can be "
                "read; to add more than the present plan includes, choose a plan again.\n"
            )
        case "double":
            return "You pay twice", (
                f"{name} has more than one subscription, and the larger plan counts. Please cancel "
                "the one that you do not want.\n"
            )
        case _:
            how = "has been closed" if payload["closed"] else "is open"
            return "A payment was disputed", (
                f"A payment for {name} was taken back by the bank, and the dispute about it {how}. "
                "The plan is not touched by that. If you did not want it, please write to us.\n"
            )
