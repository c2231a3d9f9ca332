"""The directory: whose name and password it is, and the groups they are in.

Sources: RFC 4511 (the protocol), RFC 4513 section 5.1.2 (why an empty password proves nothing),
RFC 4514 (names), RFC 4515 (filters).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import structlog
from ldap3 import ANONYMOUS, BASE, NONE, SIMPLE, SUBTREE, SYNC, Connection, Server
from ldap3.core.exceptions import (
    LDAPBindError,
    LDAPConstraintViolationResult,
    LDAPException,
    LDAPInappropriateAuthenticationResult,
    LDAPInvalidCredentialsResult,
    LDAPInvalidDNSyntaxResult,
    LDAPNoSuchObjectResult,
    LDAPUnwillingToPerformResult,
)
from ldap3.core.results import RESULT_SUCCESS
from ldap3.utils.conv import escape_filter_chars
from ldap3.utils.dn import escape_rdn

from ipcraft.plugin import Unavailable
from ipcraft_ldap.tls import VerifyingTls

MOST_AT_ONCE = 16
"""Sign-ins that ask the directory at the same time; further ones wait for their turn."""

_EVERYTHING = "(objectClass=*)"
_PLACE = re.compile(r"\{(\w+)\}")
# What servers answer to a name they do not know, a wrong password, and an account that is
# locked, disabled or has no password. Anything else says nothing of the password.
_WRONG = (
    LDAPConstraintViolationResult,
    LDAPInappropriateAuthenticationResult,
    LDAPInvalidCredentialsResult,
    LDAPInvalidDNSyntaxResult,
    LDAPNoSuchObjectResult,
    LDAPUnwillingToPerformResult,
)

_log = structlog.get_logger("ipcraft.ldap")


@dataclass(frozen=True, slots=True)
class Person:
    """Be somebody who has proven who they are."""

    email: str | None
    name: str | None
    groups: frozenset[str]
    """The groups' names and their distinguished names, in lower case."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """Hold an entry, its attributes by their names in lower case."""

    dn: str
    attributes: Mapping[str, list[bytes]]

    def first(self, attribute: str) -> str | None:
        values = self.attributes.get(attribute.lower())
        return values[0].decode(errors="replace") if values else None


class _CutOff(LDAPException):
    """Say that the directory did not give all it found."""


class Directory:
    """Ask one LDAP server.

    With `user_dn` in the settings that names people's entries, they are bound as at once;
    otherwise their entries are looked up below `user_base` first.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = settings
        self._timeout: float = settings["timeout"]
        self._tls = VerifyingTls(settings["ca_file"])
        # One thread per sign-in, so that the time it takes has an end whatever the server does:
        # a socket's own timeout begins anew with every byte, and looking up a host has none.
        self._threads = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="ldap")

    def find(self, username: str, password: str) -> Person | None:
        """Give the person whose name and password these are, None for wrong ones.

        Raises `Unavailable` when the directory does not tell in time.
        """
        # APPSEC: a bind without a password is anonymous, and servers answer it with success.
        if not username or not password:
            return None
        answer = self._threads.submit(self._ask, username, password.encode())
        try:
            return answer.result(self._timeout)
        except (LDAPException, OSError, TimeoutError) as error:
            answer.cancel()
            _log.error("the directory cannot be asked", reason=str(error) or "no answer in time")
            raise Unavailable(
                "The directory cannot be asked now; try again later", code="directory_unavailable"
            ) from error

    def _ask(self, username: str, password: bytes) -> Person | None:
        if self._settings["user_dn"] is None:
            return self._look_up_and_bind(username, password)
        return self._bind_and_look_up(username, password)

    def _look_up_and_bind(self, username: str, password: bytes) -> Person | None:
        settings = self._settings
        secret = settings["bind_password"]
        with self._bound(settings["bind_dn"], secret.encode() if secret else None) as service:
            if service is None:
                raise LDAPBindError("the directory refuses bind_dn with bind_password")
            entry = self._entry_of(service, username)
            if entry is None:
                return None
            with self._bound(entry.dn, password) as own:
                return None if own is None else self._person(service, entry, username=username)

    def _bind_and_look_up(self, username: str, password: bytes) -> Person | None:
        dn = _filled(self._settings["user_dn"], username=escape_rdn(username))
        with self._bound(dn, password) as own:
            if own is None:
                return None
            entries = self._search(own, dn, _EVERYTHING, scope=BASE)
            return self._person(own, entries[0], username=username) if entries else None

    @contextmanager
    def _bound(self, dn: str | None, password: bytes | None) -> Iterator[Connection | None]:
        """Give a connection that is bound as `dn`, None where the password is not its."""
        connection = self._connection(dn, password)
        try:
            connection.open(read_server_info=False)
            if self._settings["start_tls"] and not connection.server.ssl:
                connection.start_tls(read_server_info=False)
            yield connection if _bind(connection) else None
        finally:
            _close(connection)

    def _connection(self, dn: str | None, password: bytes | None) -> Connection:
        server = Server(
            self._settings["url"],
            tls=self._tls,
            get_info=NONE,
            # It stays the socket's timeout for all that follows.
            connect_timeout=self._timeout,
        )
        return Connection(
            server,
            dn,
            # APPSEC: as bytes it is sent as it is; as text characters that count for nothing
            # (RFC 4013) might be taken out, and an empty password be left.
            password,  # type: ignore[arg-type] # the stubs know text only
            authentication=ANONYMOUS if dn is None else SIMPLE,
            client_strategy=SYNC,
            # APPSEC: a referral would have us send the password to whomever it names.
            auto_referrals=False,
            check_names=False,
            read_only=True,
            raise_exceptions=True,
        )

    def _entry_of(self, service: Connection, username: str) -> _Entry | None:
        """Give the one entry the name means; a name that means several means nobody."""
        where = _filled(self._settings["user_filter"], username=escape_filter_chars(username))
        try:
            entries = self._search(service, self._settings["user_base"], where, most=1)
        except _CutOff:
            _log.warning("a user name means several entries", filter=where)
            return None
        return entries[0] if entries else None

    def _person(self, connection: Connection, entry: _Entry, *, username: str) -> Person:
        settings = self._settings
        return Person(
            entry.first(settings["email_attribute"]),
            entry.first(settings["name_attribute"]),
            frozenset(self._groups(connection, entry, username=username)),
        )

    def _groups(self, connection: Connection, entry: _Entry, *, username: str) -> Iterator[str]:
        base = self._settings["group_base"]
        if base is None:
            return
        where = _filled(
            self._settings["group_filter"],
            dn=escape_filter_chars(entry.dn),
            username=escape_filter_chars(username),
        )
        for group in self._search(connection, base, where):
            yield group.dn.lower()
            yield (group.first(self._settings["group_attribute"]) or "").lower()

    def _search(
        self, connection: Connection, base: str, where: str, *, scope: Any = SUBTREE, most: int = 0
    ) -> list[_Entry]:
        names = ("email_attribute", "name_attribute", "group_attribute")
        attributes = sorted({self._settings[name] for name in names})
        connection.search(base, where, scope, attributes=attributes, size_limit=most)
        if connection.result["result"] != RESULT_SUCCESS:  # the limits of size and time
            raise _CutOff(f"{where} below {base}: {connection.result['description']}")
        return [
            _Entry(
                found["dn"],
                {name.lower(): values for name, values in found["raw_attributes"].items()},
            )
            for found in connection.response or ()
            if found["type"] == "searchResEntry"
        ]


def _bind(connection: Connection) -> bool:
    try:
        bound = connection.bind(read_server_info=False)
    except _WRONG:
        return False
    if not bound:
        raise LDAPBindError("the directory refers to another one")
    return True


def _close(connection: Connection) -> None:
    with suppress(LDAPException):  # what was asked is answered by now
        connection.unbind()
    # ldap3 forgets a socket that it could not connect.
    if connection.socket is not None:
        connection.socket.close()


def _filled(template: str, **values: str) -> str:
    """Put the values, which are escaped, into their places, in one pass."""
    return _PLACE.sub(lambda place: values.get(place[1], place[0]), template)
