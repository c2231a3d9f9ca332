"""Admission: which member a person of the directory is, and in which role."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import structlog

from ipcraft.plugin import Application, Forbidden, Invalid, NotFound, Unavailable
from ipcraft_accounts import ROLES, Member, find_organization, provision
from ipcraft_ldap.directory import Person

_log = structlog.get_logger("ipcraft.ldap")


class Admission:
    """Let people of the directory into the one organization of the settings."""

    def __init__(self, app: Application, settings: Mapping[str, Any]) -> None:
        self._app = app
        self._organization: str = settings["organization"]
        self._roles: dict[str, str] = {
            group.lower(): role for group, role in settings["roles"].items()
        }
        self._default_role: str | None = settings["default_role"]

    def admit(self, person: Person) -> Member:
        """Give the member this person is, in the role their groups have now.

        A new person is added. Raises `Forbidden` for one of no group that has a role, and for
        one without a mail address.
        """
        role = highest_role(person.groups, self._roles) or self._default_role
        if role is None:
            raise Forbidden("None of your groups in the directory may use IPCraft", code="no_role")
        if person.email is None:
            raise Forbidden("You have no mail address in the directory", code="no_email")
        return provision(
            self._app, self._organization_id(), email=person.email, role=role, name=person.name
        )

    def _organization_id(self) -> str:
        try:
            return find_organization(self._app.storage, self._organization).id
        except (NotFound, Invalid) as error:
            _log.error("there is no one organization to sign in to", reason=error.message)
            raise Unavailable("Nobody can sign in yet; ask an admin to look at the log") from error


def highest_role(groups: Iterable[str], roles: Mapping[str, str]) -> str | None:
    """Give the highest of the roles that some of the groups have."""
    found = (roles[group] for group in groups if group in roles)
    return max(found, key=ROLES.index, default=None)
