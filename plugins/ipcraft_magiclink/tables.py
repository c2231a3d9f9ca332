"""The tables of links that were sent, and of invitations whose mail is sent or to be sent."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, MetaData, Table

from ipcraft.plugin import ExactText, Seconds, tenant_table

metadata = MetaData()

# Who asks for a link is nobody's user yet, so these rows are of no organization.
links = Table(
    "magiclink_links",
    metadata,
    Column("id", ExactText, primary_key=True),
    Column("mailbox", ExactText, nullable=False),
    Column("email", ExactText, nullable=False),
    Column("token_hash", LargeBinary, nullable=False),
    Column("nonce_hash", LargeBinary, nullable=False),
    Column("created_at", Seconds, nullable=False),
    Column("expires_at", Seconds, nullable=False),
    Column("used_at", Seconds),
    Index("magiclink_links_token_hash", "token_hash", unique=True),
    Index("magiclink_links_mailbox", "mailbox", "created_at"),
    Index("magiclink_links_created_at", "created_at"),
)

invitations = tenant_table(
    "magiclink_invitations",
    metadata,
    Column("id", ExactText, primary_key=True),
    Column("email", ExactText, nullable=False),
    Column("token_hash", LargeBinary),
    Column("attempts", Integer, nullable=False),
    # When to send the mail, or to send it again after a failure; null when there is no need.
    Column("due_at", Seconds),
    Column("expires_at", Seconds, nullable=False),
    # Unique over all organizations: the hash alone tells whose invitation it is.
    Index("magiclink_invitations_token_hash", "token_hash", unique=True),
    Index("magiclink_invitations_due_at", "due_at"),
)
