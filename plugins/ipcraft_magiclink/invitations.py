"""Invitations: each gets a mail with a link of its own, for as long as it lasts.

What is to be sent stands in a row that is written in the invitation's own transaction: nothing
is sent for an invitation that was rolled back, and none is forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Integer, LargeBinary, delete, insert, null, select, update
from tenacity.wait import wait_exponential

from ipcraft.plugin import (
    Application,
    Change,
    Retries,
    Row,
    Statement,
    Storage,
    Transaction,
    given,
    own,
)
from ipcraft_accounts import is_token, new_token, organizations, token_hash
from ipcraft_magiclink.links import Link
from ipcraft_magiclink.tables import invitations

_AT_ONCE = 100
_RETRIES = Retries(1_000, wait_exponential(multiplier=30, max=3600))


@dataclass(frozen=True, slots=True)
class Due:
    """Name an invitation whose mail is to be sent."""

    organization_id: str
    invitation_id: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Hold what goes into an invitation's mail."""

    email: str
    token: str
    organization: str
    expires_at: int
    """Seconds since the epoch."""


_c = invitations.c
_BY_ID = (_c.organization_id == own(), _c.id == given("invitation_id"))
_NOW = given("now", BigInteger())
_INSERT = Statement(insert(invitations))
_DELETE = Statement(delete(invitations).where(*_BY_ID))
_TAKE = Statement(
    select(_c.email, _c.attempts, _c.expires_at)
    .where(*_BY_ID, _c.due_at <= _NOW, _c.expires_at > _NOW)
    .with_for_update()
)
_TRY = Statement(
    update(invitations)
    .where(*_BY_ID)
    .values(
        token_hash=given("hashed", LargeBinary()),
        attempts=given("tries", Integer()),
        due_at=given("next_try", BigInteger()),
    )
)
_DONE = Statement(update(invitations).where(*_BY_ID).values(due_at=null()))
_ORGANIZATION: Statement[Row] = Statement(
    select(organizations.c.name).where(organizations.c.organization_id == own())
)
_DUE = Statement(
    select(_c.organization_id, _c.id)
    .where(_c.due_at <= _NOW, _c.expires_at > _NOW)
    .order_by(_c.due_at)
    .limit(_AT_ONCE),
    Due,
)
_FIND = Statement(
    select(_c.email).where(
        _c.token_hash == given("token_hash", LargeBinary()), _c.expires_at > _NOW
    ),
    lambda email: Link(email, None),
)
_USE = Statement(
    delete(invitations)
    .where(_c.token_hash == given("token_hash", LargeBinary()), _c.expires_at > _NOW)
    .returning(_c.email),
    lambda email: Link(email, None),
)
_DELETE_ENDED = Statement(delete(invitations).where(_c.expires_at <= _NOW))


def note_invitation(change: Change, tx: Transaction) -> None:
    """Note that the mail of a new invitation is to be sent."""
    end = datetime.fromisoformat(change.data["expires_at"])
    tx.write(
        _INSERT,
        id=change.resource_id,
        email=change.data["email"],
        token_hash=None,
        attempts=0,
        due_at=tx.now,
        expires_at=int(end.timestamp()),
    )


def forget_invitation(change: Change, tx: Transaction) -> None:
    """Have the link of an invitation that was accepted or withdrawn work no more."""
    tx.write(_DELETE, invitation_id=change.resource_id)


def due_invitations(storage: Storage, now: int) -> list[Due]:
    """Give some of the invitations whose mail is to be sent, those that wait longest."""
    with storage.read_system() as tx:
        return tx.all(_DUE, now=now)


def take_invitation(storage: Storage, due: Due) -> Outgoing | None:
    """Take a mail to send it, with a new token; None when somebody else has, or is about to.

    Unless `settle_invitation` follows, it is due again after a pause.
    """
    token = new_token()

    def work(tx: Transaction) -> Outgoing | None:
        row = tx.one(_TAKE, invitation_id=due.invitation_id, now=tx.now)
        if row is None:
            return None
        email, attempts, expires_at = row
        pause = _RETRIES.pause(attempts + 1)
        tx.write(
            _TRY,
            invitation_id=due.invitation_id,
            hashed=token_hash(token),
            tries=attempts + 1,
            next_try=None if pause is None else tx.now + round(pause),
        )
        return Outgoing(email, token, str(tx.value(_ORGANIZATION)), expires_at)

    return storage.transact(due.organization_id, work)


def settle_invitation(storage: Storage, due: Due) -> None:
    """Note that the mail was sent, or that it never can be."""
    storage.transact(
        due.organization_id, lambda tx: tx.write(_DONE, invitation_id=due.invitation_id)
    )


def find_invitation(app: Application, token: str) -> Link | None:
    """Give the link of an invitation's token while it works."""
    if not is_token(token):
        return None
    return app.storage.look_up(_FIND, token_hash=token_hash(token), now=int(app.clock()))


def use_invitation(app: Application, token: str) -> Link | None:
    """Use up the link of an invitation's token; None when it does not work."""
    hashed = token_hash(token)
    return app.storage.transact_system(lambda tx: tx.one(_USE, token_hash=hashed, now=tx.now))


def delete_ended_invitations(storage: Storage) -> None:
    """Forget the links of invitations that have ended."""
    storage.transact_system(lambda tx: tx.write(_DELETE_ENDED, now=tx.now))
