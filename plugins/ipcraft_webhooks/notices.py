"""Notices: mail to the admins of an organization whose webhook was switched off.

That it is to be told stands in the webhook's row, written with what switched it off: nothing is
told that did not happen, and nothing is forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from sqlalchemy import select, update

from ipcraft.plugin import (
    Application,
    Hopeless,
    Letter,
    Statement,
    Transaction,
    Unavailable,
    given,
    own,
)
from ipcraft_accounts import users
from ipcraft_webhooks.tables import webhooks

NOTICES = "webhooks.notices"
"""The job that tells admins what has to be told."""

_ROLES = ("admin", "owner")
_AT_ONCE = 100

_log = structlog.get_logger("ipcraft_webhooks")


@dataclass(frozen=True, slots=True)
class _Due:
    organization_id: str
    webhook_id: str
    url: str
    reason: str


_w = webhooks.c
_DUE = Statement(
    select(_w.organization_id, _w.id, _w.url, _w.disabled_reason)
    .where(_w.notice_due, _w.disabled_reason.is_not(None))
    .order_by(_w.updated_at)
    .limit(_AT_ONCE),
    _Due,
)
_ADMINS = Statement(
    select(users.c.email)
    .where(users.c.organization_id == own(), users.c.role.in_(_ROLES))
    .order_by(users.c.id),
    str,
)
_TOLD = Statement(
    update(webhooks)
    .where(_w.organization_id == own(), _w.id == given("id"))
    .values(notice_due=False)
)


def send_notices(app: Application) -> None:
    """Mail what has to be told. What cannot be sent now stays to be told."""
    with app.storage.read_system() as tx:
        found = tx.all(_DUE)
    for due in found:
        try:
            _tell(app, due)
        except Unavailable as error:
            _log.warning("a notice is mailed later", reason=error.message)
            return


def _tell(app: Application, due: _Due) -> None:
    def work(tx: Transaction) -> None:
        tx.write(_TOLD, id=due.webhook_id)

    with app.storage.read(due.organization_id) as tx:
        admins = tx.all(_ADMINS)
    for email in admins:
        try:
            app.mailer.send(_letter(email, due))
        except Hopeless as error:
            _log.error("a notice cannot be mailed", reason=str(error))
    app.storage.transact(due.organization_id, work)


def _letter(email: str, due: _Due) -> Letter:
    return Letter(
        to=email,
        subject="A webhook was disabled",
        text=f"IPCraft disabled the webhook {due.webhook_id}, to\n\n{due.url}\n\n"
        f"because {due.reason}. Nothing is sent there any more.\n\n"
        "When the receiver works again, set the webhook's is_active to true. What it missed is in "
        "GET /api/v1/events?after=SEQUENCE, after the last sequence that it got, and each failed "
        "delivery of the last 30 days can be sent again.\n",
    )
