"""Mailboxes: which addresses are one person's, however they are spelled."""

from __future__ import annotations


def mailbox_of(email: str) -> str:
    """Give the mailbox that mail to an address ends up in, the address being in its stored form.

    What follows a plus in the local part is a tag (RFC 5233), and a domain has one ASCII form.
    """
    local, _, domain = email.rpartition("@")
    return f"{local.partition('+')[0] or local}@{_ascii(domain)}"


def _ascii(domain: str) -> str:
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:  # no mail gets there, so any form will do
        return domain
