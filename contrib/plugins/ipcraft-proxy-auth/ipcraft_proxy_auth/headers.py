"""Headers: what the proxy says of the person it speaks for."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import falcon

from ipcraft.plugin import Invalid, Unauthenticated
from ipcraft_accounts import normalize_email


@dataclass(frozen=True, slots=True)
class Person:
    """Be somebody whom the proxy has signed in."""

    email: str
    name: str | None
    groups: frozenset[str]


class PersonHeaders:
    """Read the person out of a request that comes from the proxy."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._user: str = settings["user_header"]
        self._email: str = settings["email_header"]
        self._domain: str | None = settings["email_domain"]
        self._name: str = settings["name_header"]
        self._groups: str = settings["groups_header"]
        self._separator: str = settings["groups_separator"]

    def read(self, request: falcon.Request) -> Person | None:
        """Give the person, None where the proxy has signed nobody in.

        Raises `Unauthenticated` for somebody without a mail address.
        """
        user = _text(request, self._user)
        if user is None:
            return None
        groups = (_text(request, self._groups) or "").split(self._separator)
        return Person(
            self._address(user, _text(request, self._email)),
            _text(request, self._name),
            frozenset(name for group in groups if (name := group.strip())),
        )

    def _address(self, user: str, email: str | None) -> str:
        if email is None:
            email = f"{user}@{self._domain}" if self._domain and "@" not in user else user
        try:
            # APPSEC: a header that came twice is one with a comma, and so no address: what a
            # proxy adds its own to, instead of replacing it, is not believed.
            return normalize_email(email)
        except Invalid as error:
            raise Unauthenticated(
                "The sign-in of the proxy in front of IPCraft tells no mail address of yours",
                code="no_email",
            ) from error


def _text(request: falcon.Request, header: str) -> str | None:
    """Give a header, None where it is missing or blank.

    WSGI gives each byte as a character; proxies send UTF-8.
    """
    value = request.get_header(header)
    if value is None:
        return None
    with suppress(UnicodeError):
        value = value.encode("latin-1").decode()
    return value.strip() or None
