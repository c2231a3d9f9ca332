"""Notices: mail to the admins of an organization whose webhook was switched off.

The order for it is part of the transaction that switches the webhook off: nothing is told that did
not happen, and nothing is forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import or_, select

from ipcraft.plugin import Application, Letter, NotFound, Row, Statement, Transaction, given, own
from ipcraft_accounts import users
from ipcraft_webhooks import webhooks
from ipcraft_webhooks.webhooks import Webhook

NOTICE = "webhooks.notice"
"""The job that mails one admin."""

_ROLES = ("admin", "owner")
_OWN = users.c.organization_id == own()
_ADMINS = Statement(
    select(users.c.id)
    .where(_OWN, or_(*(users.c.role == role for role in _ROLES)))
    .order_by(users.c.id),
    str,
)
_EMAIL: Statement[Row] = Statement(select(users.c.email).where(_OWN, users.c.id == given("id")))


def order_notices(app: Application, tx: Transaction, webhook_id: str) -> None:
    """Have each admin told that the webhook was switched off, if the transaction is committed."""
    for user_id in tx.all(_ADMINS):
        payload = {
            "organization_id": tx.organization_id,
            "webhook_id": webhook_id,
            "user_id": user_id,
        }
        app.enqueue(NOTICE, payload, tx=tx)


def send_notice(app: Application, payload: Mapping[str, Any]) -> None:
    """Mail an admin, unless there is no need any more.

    Raises `Unavailable` when that may succeed later, `Hopeless` when the mail is refused.
    """
    with app.storage.read(payload["organization_id"]) as tx:
        email = tx.value(_EMAIL, id=payload["user_id"])
        webhook = _find(tx, payload["webhook_id"])
    if email is not None and webhook is not None and webhook.disabled_reason is not None:
        app.mailer.send(_letter(email, webhook))


def _find(tx: Transaction, webhook_id: str) -> Webhook | None:
    try:
        return webhooks.get(tx, webhook_id)
    except NotFound:
        return None


def _letter(email: str, webhook: Webhook) -> Letter:
    return Letter(
        to=email,
        subject="A webhook was disabled",
        text=f"IPCraft disabled the webhook {webhook.id}, to\n\n{webhook.url}\n\n"
        f"because {webhook.disabled_reason}. Nothing is sent there any more.\n\n"
        "When the receiver works again, set the webhook's is_active to true. What it missed is in "
        "GET /api/v1/events?after=SEQUENCE, after the last sequence that it got, and each failed "
        "delivery of the last 30 days can be sent again.\n",
    )
