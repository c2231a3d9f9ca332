"""Mailboxes: which addresses are one person's, however they are spelled."""

from __future__ import annotations

import re

_ESCAPED = re.compile(r"\\(.)")


def mailbox_of(email: str) -> str:
    """Give the mailbox that mail to an address ends up in, the address being in its stored form.

    What follows a plus in the local part is a tag (RFC 5233), quotes around it mean nothing
    (RFC 5321, section 4.1.2), and a domain has one ASCII form.
    """
    quoted, _, domain = email.rpartition("@")
    local = _unquoted(quoted)
    return f"{local.partition('+')[0] or local}@{_ascii(domain)}"


def _unquoted(local: str) -> str:
    if len(local) < 2 or not local.startswith('"'):
        return local
    return _ESCAPED.sub(r"\1", local[1:-1])


def _ascii(domain: str) -> str:
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:  # no mail gets there, so any form will do
        return domain
