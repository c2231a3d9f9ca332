"""Delivery: the jobs that make links and mail them.

A link's token is made where its mail is sent, so it is in no queue. Where links lead is told
along: an ``ipcraft worker`` may know no public URL, but who queued the job does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from tenacity.wait import wait_exponential, wait_random

from ipcraft.plugin import (
    ONCE,
    Application,
    Change,
    Hopeless,
    Job,
    Retries,
    Transaction,
    Unavailable,
    known_public_url,
    new_id,
    public_url,
)
from ipcraft_accounts import may_enter
from ipcraft_magiclink.invitations import (
    Due,
    delete_ended_invitations,
    due_invitations,
    forget_invitation,
    note_invitation,
    settle_invitation,
    take_invitation,
)
from ipcraft_magiclink.letters import invitation_letter, sign_in_letter
from ipcraft_magiclink.links import delete_old_links, make_link, verify_url

SEND = "magiclink.send"
"""The job that sends somebody who asked for it a link."""

INVITE = "magiclink.invite"
"""The job that sends an invited person a link."""

_SWEEP = "magiclink.invitations"
_TIDY = "magiclink.tidy"
_SWEEP_EVERY = 15
_TIDY_EVERY = 3600

# Some 5 minutes in all: for as long people wait, and greylisting servers let them.
_RETRIES = Retries(9, wait_exponential(multiplier=2, max=60) + wait_random(0, 1))

_log = structlog.get_logger("ipcraft_magiclink")


def jobs(app: Application) -> list[Job]:
    """Give the jobs."""
    return [
        Job(name=SEND, run=lambda payload: _send(app, payload), retries=_RETRIES),
        Job(name=INVITE, run=lambda payload: _invite(app, payload), retries=ONCE),
        Job(name=_SWEEP, run=lambda payload: _sweep(app), retries=ONCE, every=_SWEEP_EVERY),
        Job(name=_TIDY, run=lambda payload: _tidy(app), retries=ONCE, every=_TIDY_EVERY),
    ]


def order_link(app: Application, *, email: str, nonce_hash: bytes) -> None:
    """Have a link sent to an address, if somebody of it may enter.

    That is found out by the job, so that whoever asks learns nothing, by no word and no time.
    Raises `Unavailable` when the database cannot be used, and when nobody knows where links lead.
    """
    payload = {"id": new_id("lnk"), "email": email, "nonce_hash": nonce_hash.hex()}
    # APPSEC: the drain has to find the order first, so the answer is out when the job begins: how
    # much there is to do does not show in its time.
    app.enqueue(SEND, payload | {"url": public_url(app)})


def follow_invitation(change: Change, tx: Transaction, app: Application) -> None:
    """Have the mail of a new invitation sent, and none for one that is over."""
    if change.type == "invitation.created":
        note_invitation(change, tx)
        _order_invitation(app, Due(str(tx.organization_id), change.resource_id), tx=tx)
    elif change.resource_type == "invitation":
        forget_invitation(change, tx)


def _order_invitation(app: Application, due: Due, *, tx: Transaction | None = None) -> None:
    payload = {"organization_id": due.organization_id, "invitation_id": due.invitation_id}
    app.enqueue(INVITE, payload | {"url": known_public_url(app)}, tx=tx)


def _send(app: Application, payload: Mapping[str, Any]) -> None:
    email = payload["email"]
    if not may_enter(app, email):
        _log.info("a link was asked for that nobody may enter with")
        return
    token = make_link(
        app.storage, payload["id"], email=email, nonce_hash=bytes.fromhex(payload["nonce_hash"])
    )
    if token is None:
        _log.info("a link is not sent: the mailbox has had its links of this hour")
        return
    app.mailer.send(sign_in_letter(email, link=verify_url(payload["url"], token)))


def _invite(app: Application, payload: Mapping[str, Any]) -> None:
    due = Due(payload["organization_id"], payload["invitation_id"])
    outgoing = take_invitation(app.storage, due)
    if outgoing is None:
        return
    try:
        link = verify_url(payload["url"] or public_url(app), outgoing.token)
        app.mailer.send(invitation_letter(outgoing, link=link))
    except Unavailable as error:
        _log.warning("an invitation's mail is sent later", reason=error.message)
        return
    except Hopeless:
        settle_invitation(app.storage, due)
        raise
    settle_invitation(app.storage, due)


def _sweep(app: Application) -> None:
    for due in due_invitations(app.storage, int(app.clock())):
        _order_invitation(app, due)


def _tidy(app: Application) -> None:
    delete_old_links(app.storage)
    delete_ended_invitations(app.storage)
