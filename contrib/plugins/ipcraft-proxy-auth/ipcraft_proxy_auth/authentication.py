"""Recognizing the sender of a request by what a trusted proxy says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import Any

import falcon
import structlog

from ipcraft.plugin import Application, Forbidden, Identity, Invalid, NotFound, Unavailable
from ipcraft_accounts import ROLES, Member, find_organization, provision
from ipcraft_proxy_auth.headers import Person, PersonHeaders
from ipcraft_proxy_auth.schemas import Network

_API_KEY = "bearer ipc_"
_log = structlog.get_logger("ipcraft.proxy_auth")


class ProxyBackend:
    """Recognize whom a proxy in the trusted networks names, with one query.

    A person is added at their first request, and their role and name are brought up to date
    when the proxy tells others. A request with an API key is left to the backend of that key.
    """

    name = "proxy"

    def __init__(self, app: Application, settings: Mapping[str, Any]) -> None:
        self._app = app
        self._trusted: list[Network] = settings["trusted_networks"]
        self._headers = PersonHeaders(settings)
        self._organization: str = settings["organization"]
        self._organization_id: str | None = None
        self._roles: Mapping[str, str] = settings["roles"]
        self._default_role: str | None = settings["default_role"]

    def authenticate(self, request: falcon.Request) -> Identity | None:
        """Give the identity of the person in the headers, None unless the proxy sends them.

        Raises `Unauthenticated` for somebody without a mail address, and `Forbidden` for one
        who may not come in.
        """
        if not self._is_the_proxy(request) or _has_api_key(request):
            return None
        person = self._headers.read(request)
        return None if person is None else self._identity(self._admit(person))

    def _is_the_proxy(self, request: falcon.Request) -> bool:
        # APPSEC: the socket's peer. Falcon's `remote_addr` is 127.0.0.1 where there is none,
        # and `context.client_address` is what headers say.
        peer = request.env.get("REMOTE_ADDR") or ""
        try:
            address = ip_address(peer.partition("%")[0])
        except ValueError:
            return False
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in self._trusted)

    def _admit(self, person: Person) -> Member:
        role = highest_role(person.groups, self._roles) or self._default_role
        if role is None:
            raise Forbidden(
                f"You are signed in as {person.email}, but none of your groups may use IPCraft",
                code="no_role",
            )
        try:
            return provision(
                self._app, self._home(), email=person.email, role=role, name=person.name
            )
        except Invalid as error:  # such as: the last owner is not made less
            raise Forbidden(error.message, code=error.code) from error

    def _home(self) -> str:
        """Give the id of the organization, which is looked up once."""
        if self._organization_id is None:
            try:
                found = find_organization(self._app.storage, self._organization)
            except (NotFound, Invalid) as error:
                _log.error("there is no one organization to sign in to", reason=error.message)
                raise Unavailable(
                    "Nobody can sign in yet; ask an admin to look at the log"
                ) from error
            self._organization_id = found.id
        return self._organization_id

    def _identity(self, member: Member) -> Identity:
        return Identity(
            organization_id=member.organization.id,
            user_id=member.user.id,
            role=member.user.role,
            scheme=self.name,
            plan=member.organization.plan,
        )


def highest_role(groups: Iterable[str], roles: Mapping[str, str]) -> str | None:
    """Give the highest of the roles that some of the groups have."""
    found = (roles[group] for group in groups if group in roles)
    return max(found, key=ROLES.index, default=None)


def _has_api_key(request: falcon.Request) -> bool:
    return (request.get_header("Authorization") or "").lower().startswith(_API_KEY)
