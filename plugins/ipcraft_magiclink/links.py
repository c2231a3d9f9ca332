"""Links: what proves to us that somebody reads the mail of an address.

Of a link's token only the hash is kept. It works once, for ten minutes.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, LargeBinary, delete, func, insert, select, update

from ipcraft.plugin import Application, Statement, Storage, Transaction, given
from ipcraft_accounts import is_token, new_token, token_hash
from ipcraft_magiclink.mailboxes import mailbox_of
from ipcraft_magiclink.tables import links

VERIFY = "/api/v1/auth/verify"
"""The path that a link leads to."""

LIFETIME = 600
"""Seconds for which a link works."""

MOST = 5
"""Links that one mailbox is sent in `PERIOD`."""

PERIOD = 3600
"""Seconds over which the links of a mailbox are counted."""


@dataclass(frozen=True, slots=True)
class Link:
    """Hold what is known of a link that works."""

    email: str
    nonce_hash: bytes | None
    """The hash of the nonce that the browser has which asked for the link, if one asked."""


_c = links.c
_BY_TOKEN = _c.token_hash == given("token_hash", LargeBinary())
_WORKS = (_BY_TOKEN, _c.used_at.is_(None), _c.expires_at > given("now", BigInteger()))
_FIND = Statement(select(_c.email, _c.nonce_hash).where(*_WORKS), Link)
_USE = Statement(
    update(links)
    .where(*_WORKS)
    .values(used_at=given("now", BigInteger()))
    .returning(_c.email, _c.nonce_hash),
    Link,
)
_EXISTS = Statement(select(_c.id).where(_c.id == given("id")))
_COUNT = Statement(
    select(func.count())
    .select_from(links)
    .where(_c.mailbox == given("mailbox"), _c.created_at > given("since", BigInteger()))
)
_INSERT = Statement(insert(links))
_RENEW = Statement(
    update(links)
    .where(_c.id == given("link_id"), _c.used_at.is_(None))
    .values(token_hash=given("new_hash", LargeBinary()), expires_at=given("new_end", BigInteger()))
)
_DELETE_OLD = Statement(delete(links).where(_c.created_at <= given("since", BigInteger())))


def make_link(storage: Storage, link_id: str, *, email: str, nonce_hash: bytes) -> str | None:
    """Give the token of a new link for an address, None when its mailbox has had its links.

    A link of this id that was made before, by an attempt that may not have been sent, gets
    another token and does not count twice; None when it was used.
    """
    token = new_token()
    hashed = token_hash(token)
    mailbox = mailbox_of(email)

    def work(tx: Transaction) -> bool:
        # Alone with the mailbox: of two links made at once, the second sees the first.
        tx.lock("magiclink", mailbox)
        end = tx.now + LIFETIME
        if tx.one(_EXISTS, id=link_id) is not None:
            return tx.execute(_RENEW, link_id=link_id, new_hash=hashed, new_end=end) == 1
        if tx.value(_COUNT, mailbox=mailbox, since=tx.now - PERIOD) >= MOST:
            return False
        tx.write(
            _INSERT,
            id=link_id,
            mailbox=mailbox,
            email=email,
            token_hash=hashed,
            nonce_hash=nonce_hash,
            created_at=tx.now,
            expires_at=end,
            used_at=None,
        )
        return True

    return token if storage.transact_system(work) else None


def find_link(app: Application, token: str) -> Link | None:
    """Give the link of a token while it works."""
    if not is_token(token):
        return None
    return app.storage.look_up(_FIND, token_hash=token_hash(token), now=int(app.clock()))


def use_link(app: Application, token: str) -> Link | None:
    """Use up the link of a token; None when it does not work, or somebody else was faster."""
    hashed = token_hash(token)
    return app.storage.transact_system(lambda tx: tx.one(_USE, token_hash=hashed, now=tx.now))


def delete_old_links(storage: Storage) -> None:
    """Forget the links that neither work nor count any more."""
    storage.transact_system(lambda tx: tx.write(_DELETE_OLD, since=tx.now - PERIOD))


def verify_url(base: str, token: str) -> str:
    """Give the link of a token below a public URL."""
    return f"{base}{VERIFY}?token={token}"
